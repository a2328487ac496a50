// The innermost rules of expressions: literals, names, brackets, and what stands behind them.
#include <algorithm>

#include "model/chat/expression_nodes.h"
#include "model/chat/parser.h"

namespace premise {
namespace {

void adopt_arguments(const ParserState& state, Expression& parent, CallArguments arguments) {
  const auto measure = [&](const ExpressionPtr& child) {
    if (child) parent.height = std::max(parent.height, child->height + 1);
  };
  for (const auto& argument : arguments.positional) measure(argument);
  for (const auto& argument : arguments.named) measure(argument.value);
  measure(arguments.spread);
  measure(arguments.spread_named);
  if (parent.height > expression_height_max)
    state.raise(text({"an expression of more than {} levels", "表达式超过 {} 层"},
                     int{expression_height_max}),
                parent.line);
  parent.arguments = std::make_unique<CallArguments>(std::move(arguments));
}

CallArguments parse_arguments(ParserState& state) {
  const Nesting nesting(state);
  const int line = state.peek().line;
  const auto check = [&](bool fine) {
    if (!fine) state.raise(text({"arguments in a wrong order", "参数顺序有误"}), line);
  };
  CallArguments arguments;
  state.expect_op("(");
  for (bool first = true; !state.at_op(")"); first = false) {
    if (!first) {
      state.expect_op(",");
      if (state.at_op(")")) break;
    }
    if (state.skip_op("*")) {
      check(!arguments.spread && !arguments.spread_named);
      arguments.spread = parse_expression(state);
    } else if (state.skip_op("**")) {
      check(!arguments.spread_named);
      arguments.spread_named = parse_expression(state);
    } else if (state.at(TokenType::name) && state.peek(1).is_op("=")) {
      check(!arguments.spread_named);
      std::string name = state.take_name();
      state.next();
      arguments.named.push_back({std::move(name), parse_expression(state)});
    } else {
      check(!arguments.spread && !arguments.spread_named && arguments.named.empty());
      arguments.positional.push_back(parse_expression(state));
    }
  }
  state.expect_op(")");
  return arguments;
}

ExpressionPtr parse_call(ParserState& state, ExpressionPtr callee) {
  auto node = make_node(ExpressionKind::call, state.peek().line);
  adopt(state, *node, std::move(callee));
  adopt_arguments(state, *node, parse_arguments(state));
  return node;
}

// What stands in one place of a subscript: an expression or a slice. A slice is returned as a node
// whose first child, the object, is still missing.
ExpressionPtr parse_subscribed(ParserState& state) {
  const int line = state.peek().line;
  ExpressionPtr first;
  if (!state.at_op(":")) {
    first = parse_expression(state);
    if (!state.at_op(":")) return first;
  }
  state.next();
  const auto bound = [&]() -> ExpressionPtr {
    if (state.at_op(":") || state.at_op("]") || state.at_op(",")) return nullptr;
    return parse_expression(state);
  };
  auto node = make_node(ExpressionKind::slice, line);
  adopt(state, *node, nullptr);
  adopt(state, *node, std::move(first));
  adopt(state, *node, bound());
  adopt(state, *node, state.skip_op(":") ? bound() : nullptr);
  return node;
}

ExpressionPtr parse_bracket(ParserState& state, ExpressionPtr object) {
  const Nesting nesting(state);
  const int line = state.next().line;
  std::vector<ExpressionPtr> places;
  while (!state.at_op("]")) {
    if (!places.empty()) state.expect_op(",");
    places.push_back(parse_subscribed(state));
  }
  state.expect_op("]");
  if (places.size() == 1 && places[0]->kind == ExpressionKind::slice && !places[0]->children[0]) {
    auto node = make_node(ExpressionKind::slice, line);
    adopt(state, *node, std::move(object));
    for (std::size_t i = 1; i < 4; ++i) adopt(state, *node, std::move(places[0]->children[i]));
    return node;
  }
  ExpressionPtr key;
  if (places.size() == 1) {
    key = std::move(places[0]);
  } else {
    key = make_node(ExpressionKind::tuple, line);
    for (auto& place : places) {
      if (place->kind == ExpressionKind::slice && !place->children[0])
        state.raise(text({"a slice beside other subscripts", "切片不能与其他下标并列"}), line);
      adopt(state, *key, std::move(place));
    }
  }
  return make_pair_node(state, ExpressionKind::item, line, std::move(object), std::move(key));
}

ExpressionPtr parse_dot(ParserState& state, ExpressionPtr object) {
  const int line = state.next().line;
  if (state.at(TokenType::name)) {
    auto node = make_node(ExpressionKind::attribute, line);
    adopt(state, *node, std::move(object));
    node->text = state.take_name();
    node->value = Value::text(node->text);
    return node;
  }
  if (!state.at(TokenType::integer))
    state.unexpected(text({"a name or a number behind \".\"", "“.”后应为名称或数字"}));
  auto key = make_node(ExpressionKind::constant, line);
  key->value = state.next().integer;
  return make_pair_node(state, ExpressionKind::item, line, std::move(object), std::move(key));
}

ExpressionPtr parse_list(ParserState& state) {
  const Nesting nesting(state);
  auto node = make_node(ExpressionKind::list, state.next().line);
  while (!state.at_op("]")) {
    if (!node->children.empty()) state.expect_op(",");
    if (state.at_op("]")) break;
    adopt(state, *node, parse_expression(state));
  }
  state.expect_op("]");
  return node;
}

ExpressionPtr parse_dict(ParserState& state) {
  const Nesting nesting(state);
  auto node = make_node(ExpressionKind::dict, state.next().line);
  while (!state.at_op("}")) {
    if (!node->children.empty()) state.expect_op(",");
    if (state.at_op("}")) break;
    adopt(state, *node, parse_expression(state));
    state.expect_op(":");
    adopt(state, *node, parse_expression(state));
  }
  state.expect_op("}");
  return node;
}

ExpressionPtr parse_name(ParserState& state) {
  auto node = make_node(ExpressionKind::constant, state.peek().line);
  node->text = state.take_name();
  const std::string& name = node->text;
  if (name == "true" || name == "True" || name == "false" || name == "False") {
    node->value = name == "true" || name == "True";
  } else if (name == "none" || name == "None") {
    node->value = None{};
  } else {
    node->kind = ExpressionKind::name;
    node->id = state.name_id(name);
    for (MacroBody* macro : state.macros) {
      macro->uses_caller |= node->id == name_caller;
      macro->uses_varargs |= node->id == name_varargs;
      macro->uses_kwargs |= node->id == name_kwargs;
    }
  }
  return node;
}

ExpressionPtr parse_test(ParserState& state, ExpressionPtr subject) {
  const int line = state.next().line;  // is
  const bool negated = state.skip_name("not");
  auto node = make_node(ExpressionKind::test, line);
  node->text = state.take_name();
  while (state.skip_op(".")) node->text += "." + state.take_name();
  adopt(state, *node, std::move(subject));
  CallArguments arguments;
  const TemplateToken& token = state.peek();
  if (state.at_op("(")) {
    arguments = parse_arguments(state);
  } else if ((token.type == TokenType::name && !token.is_name("else") && !token.is_name("or") &&
              !token.is_name("and")) ||
             token.type == TokenType::string || token.type == TokenType::integer ||
             token.type == TokenType::real || token.is_op("[") || token.is_op("{")) {
    if (token.is_name("is"))
      state.raise(text({"tests cannot be chained with \"is\"", "不能用“is”连续测试"}), line);
    arguments.positional.push_back(parse_postfix(state, parse_primary(state)));
  }
  adopt_arguments(state, *node, std::move(arguments));
  if (!negated) return node;
  auto inverted = make_node(ExpressionKind::invert, line);
  adopt(state, *inverted, std::move(node));
  return inverted;
}

}  // namespace

ExpressionPtr make_node(ExpressionKind kind, int line) {
  auto node = std::make_unique<Expression>();
  node->kind = kind;
  node->line = line;
  return node;
}

void adopt(const ParserState& state, Expression& parent, ExpressionPtr child) {
  if (child) {
    parent.height = std::max(parent.height, child->height + 1);
    if (parent.height > expression_height_max)
      state.raise(text({"an expression of more than {} levels", "表达式超过 {} 层"},
                       int{expression_height_max}),
                  parent.line);
  }
  parent.children.push_back(std::move(child));
}

ExpressionPtr make_pair_node(const ParserState& state, ExpressionKind kind, int line,
                             ExpressionPtr left, ExpressionPtr right) {
  auto node = make_node(kind, line);
  adopt(state, *node, std::move(left));
  adopt(state, *node, std::move(right));
  return node;
}

ExpressionPtr parse_postfix(ParserState& state, ExpressionPtr node) {
  for (;;) {
    if (state.at_op(".")) {
      node = parse_dot(state, std::move(node));
    } else if (state.at_op("[")) {
      node = parse_bracket(state, std::move(node));
    } else if (state.at_op("(")) {
      node = parse_call(state, std::move(node));
    } else {
      return node;
    }
  }
}

ExpressionPtr parse_primary(ParserState& state) {
  const TemplateToken& token = state.peek();
  switch (token.type) {
    case TokenType::name:
      return parse_name(state);
    case TokenType::string: {
      auto node = make_node(ExpressionKind::constant, token.line);
      std::string joined;  // "a" "b" is "ab"
      while (state.at(TokenType::string)) joined += state.next().text;
      node->value = Value::text(std::move(joined));
      return node;
    }
    case TokenType::integer: {
      auto node = make_node(ExpressionKind::constant, token.line);
      node->value = state.next().integer;
      return node;
    }
    case TokenType::real: {
      auto node = make_node(ExpressionKind::constant, token.line);
      node->value = state.next().real;
      return node;
    }
    default:
      break;
  }
  if (state.at_op("[")) return parse_list(state);
  if (state.at_op("{")) return parse_dict(state);
  if (state.at_op("(")) {
    const Nesting nesting(state);
    state.next();
    auto node = parse_expressions(state, true, true);
    state.expect_op(")");
    return node;
  }
  state.unexpected(text({"an expression", "此处应为表达式"}));
}

ExpressionPtr parse_filters_and_tests(ParserState& state, ExpressionPtr node) {
  for (;;) {
    if (state.at_op("|")) {
      node = parse_filters(state, std::move(node));
    } else if (state.at_name("is")) {
      node = parse_test(state, std::move(node));
    } else if (state.at_op("(")) {
      node = parse_call(state, std::move(node));
    } else {
      return node;
    }
  }
}

ExpressionPtr parse_filters(ParserState& state, ExpressionPtr inner, bool named) {
  while (named || state.skip_op("|")) {
    named = false;
    auto node = make_node(ExpressionKind::filter, state.peek().line);
    node->text = state.take_name();
    while (state.skip_op(".")) node->text += "." + state.take_name();
    adopt(state, *node, std::move(inner));
    adopt_arguments(state, *node, state.at_op("(") ? parse_arguments(state) : CallArguments{});
    inner = std::move(node);
  }
  return inner;
}

}  // namespace premise
