// Expressions, by recursive descent. Precedence, loosest first, as Jinja's grammar has it:
// if-else, or, and, not, comparisons and in, + and -, ~, * / // %, **, unary, postfix, filters and
// tests. (A unary minus takes no filter: -1|abs is (-1)|abs.)
#include <array>

#include "model/chat/expression_nodes.h"
#include "model/chat/parser.h"

namespace premise {
namespace {

ExpressionPtr parse_unary(ParserState& state, bool with_filters = true) {
  ExpressionPtr node;
  if (state.at_op("-") || state.at_op("+")) {
    const Nesting nesting(state);
    const bool minus = state.at_op("-");
    node = make_node(minus ? ExpressionKind::negate : ExpressionKind::plus, state.next().line);
    adopt(state, *node, parse_unary(state, false));
  } else {
    node = parse_primary(state);
  }
  node = parse_postfix(state, std::move(node));
  return with_filters ? parse_filters_and_tests(state, std::move(node)) : std::move(node);
}

struct BinaryOperator {
  std::string_view spelling;
  ExpressionKind kind;
};

// Left-associative operators of one strength over a tighter rule.
template <std::size_t N, typename Tighter>
ExpressionPtr parse_binary(ParserState& state, const std::array<BinaryOperator, N>& operators,
                           Tighter tighter) {
  ExpressionPtr left = tighter(state);
  for (;;) {
    const BinaryOperator* found = nullptr;
    for (const auto& candidate : operators)
      if (state.at_op(candidate.spelling)) found = &candidate;
    if (!found) return left;
    const int line = state.next().line;
    left = make_pair_node(state, found->kind, line, std::move(left), tighter(state));
  }
}

ExpressionPtr parse_power(ParserState& state) {
  static constexpr std::array operators = {BinaryOperator{"**", ExpressionKind::power}};
  return parse_binary(state, operators, [](ParserState& inner) { return parse_unary(inner); });
}

ExpressionPtr parse_product(ParserState& state) {
  static constexpr std::array operators = {BinaryOperator{"*", ExpressionKind::multiply},
                                           BinaryOperator{"/", ExpressionKind::divide},
                                           BinaryOperator{"//", ExpressionKind::floor_divide},
                                           BinaryOperator{"%", ExpressionKind::modulo}};
  return parse_binary(state, operators, parse_power);
}

ExpressionPtr parse_concatenation(ParserState& state) {
  ExpressionPtr first = parse_product(state);
  if (!state.at_op("~")) return first;
  auto node = make_node(ExpressionKind::concatenate, state.peek().line);
  adopt(state, *node, std::move(first));
  while (state.skip_op("~")) adopt(state, *node, parse_product(state));
  return node;
}

ExpressionPtr parse_sum(ParserState& state) {
  static constexpr std::array operators = {BinaryOperator{"+", ExpressionKind::add},
                                           BinaryOperator{"-", ExpressionKind::subtract}};
  return parse_binary(state, operators, parse_concatenation);
}

bool take_comparison(ParserState& state, Comparison& comparison) {
  constexpr std::pair<std::string_view, Comparison> spellings[] = {
      {"==", Comparison::equal},   {"!=", Comparison::unequal}, {"<", Comparison::less},
      {"<=", Comparison::at_most}, {">", Comparison::greater},  {">=", Comparison::at_least}};
  for (const auto& [spelling, meaning] : spellings) {
    comparison = meaning;
    if (state.skip_op(spelling)) return true;
  }
  comparison = Comparison::in;
  if (state.skip_name("in")) return true;
  comparison = Comparison::not_in;
  if (!state.at_name("not") || !state.peek(1).is_name("in")) return false;
  state.next();
  state.next();
  return true;
}

ExpressionPtr parse_comparison(ParserState& state) {
  ExpressionPtr first = parse_sum(state);
  Comparison comparison;
  const int line = state.peek().line;
  if (!take_comparison(state, comparison)) return first;
  auto node = make_node(ExpressionKind::compare, line);
  adopt(state, *node, std::move(first));
  do {
    node->comparisons.push_back(comparison);
    adopt(state, *node, parse_sum(state));
  } while (take_comparison(state, comparison));
  return node;
}

ExpressionPtr parse_not(ParserState& state) {
  if (!state.at_name("not")) return parse_comparison(state);
  const Nesting nesting(state);
  auto node = make_node(ExpressionKind::invert, state.next().line);
  adopt(state, *node, parse_not(state));
  return node;
}

ExpressionPtr parse_and(ParserState& state) {
  ExpressionPtr left = parse_not(state);
  while (state.at_name("and")) {
    const int line = state.next().line;
    left = make_pair_node(state, ExpressionKind::both, line, std::move(left), parse_not(state));
  }
  return left;
}

ExpressionPtr parse_or(ParserState& state) {
  ExpressionPtr left = parse_and(state);
  while (state.at_name("or")) {
    const int line = state.next().line;
    left = make_pair_node(state, ExpressionKind::either, line, std::move(left), parse_and(state));
  }
  return left;
}

}  // namespace

ExpressionPtr parse_expression(ParserState& state, bool with_condition) {
  ExpressionPtr node = parse_or(state);
  while (with_condition && state.at_name("if")) {
    const Nesting nesting(state);
    auto conditional = make_node(ExpressionKind::conditional, state.next().line);
    adopt(state, *conditional, std::move(node));
    adopt(state, *conditional, parse_or(state));
    adopt(state, *conditional, state.skip_name("else") ? parse_expression(state) : nullptr);
    node = std::move(conditional);
  }
  return node;
}

ExpressionPtr parse_expressions(ParserState& state, bool with_condition, bool in_parentheses) {
  const int line = state.peek().line;
  const auto at_end = [&] {
    return state.at(TokenType::variable_end) || state.at(TokenType::block_end) ||
           state.at_op(")") || state.at_name("recursive");
  };
  std::vector<ExpressionPtr> parts;
  bool tuple = false;
  while (!at_end()) {
    parts.push_back(parse_expression(state, with_condition));
    if (!state.skip_op(",")) break;
    tuple = true;
  }
  if (parts.size() == 1 && !tuple) return std::move(parts[0]);
  if (parts.empty() && !in_parentheses) state.unexpected(text({"an expression", "此处应为表达式"}));
  auto node = make_node(ExpressionKind::tuple, line);
  for (auto& part : parts) adopt(state, *node, std::move(part));
  return node;
}

}  // namespace premise
