// Statements: what stands between {% and %}, and the text between them.
#include <algorithm>
#include <array>
#include <initializer_list>

#include "base/printable.h"
#include "model/chat/parser.h"
#include "model/chat/parser_state.h"

namespace premise {
namespace {

Block parse_block(ParserState& state, std::initializer_list<std::string_view> ends);

TemplateStatement make(StatementKind kind, int line) {
  TemplateStatement statement;
  statement.kind = kind;
  statement.line = line;
  return statement;
}

// The rest of an opening tag, the statements behind it, and the name of the tag that ends them
// (one of `ends`), whose own rest is left to the caller.
Block parse_body(ParserState& state, std::initializer_list<std::string_view> ends) {
  state.skip_op(":");
  state.expect(TokenType::block_end);
  return parse_block(state, ends);
}

AssignmentTarget parse_single_target(ParserState& state, bool with_namespace);

AssignmentTarget parse_target(ParserState& state, bool with_namespace) {
  AssignmentTarget first = parse_single_target(state, with_namespace);
  if (!state.at_op(",")) return first;
  AssignmentTarget tuple;
  tuple.tuple = true;
  tuple.parts.push_back(std::move(first));
  while (state.skip_op(",")) {
    if (!state.at(TokenType::name) && !state.at_op("(")) break;
    if (state.at_name("in")) break;
    tuple.parts.push_back(parse_single_target(state, with_namespace));
  }
  return tuple;
}

AssignmentTarget parse_single_target(ParserState& state, bool with_namespace) {
  if (state.at_op("(")) {
    const Nesting nesting(state);
    state.next();
    AssignmentTarget inner = parse_target(state, with_namespace);
    state.expect_op(")");
    return inner;
  }
  const int line = state.peek().line;
  const std::string name = state.take_name();
  constexpr std::array<std::string_view, 6> constants = {"true",  "True", "false",
                                                         "False", "none", "None"};
  if (std::find(constants.begin(), constants.end(), name) != constants.end())
    state.raise(text({"nothing can be assigned to {}", "不能给 {} 赋值"}, name), line);
  AssignmentTarget target;
  target.id = state.name_id(name);
  if (with_namespace && state.skip_op(".")) target.attribute = state.take_name();
  return target;
}

TemplateStatement parse_for(ParserState& state, int line) {
  TemplateStatement loop = make(StatementKind::loop, line);
  loop.target = parse_target(state, false);
  state.expect_name("in");
  loop.expression = parse_expressions(state, false);
  if (state.skip_name("if")) loop.filter = parse_expression(state);
  loop.recursive = state.skip_name("recursive");
  loop.body = parse_body(state, {"endfor", "else"});
  if (state.next().text == "else") {
    loop.otherwise = parse_body(state, {"endfor"});
    state.next();
  }
  return loop;
}

TemplateStatement parse_if(ParserState& state, int line) {
  TemplateStatement branch = make(StatementKind::branch, line);
  for (;;) {
    auto condition = parse_expressions(state, false);
    branch.branches.push_back({std::move(condition), parse_body(state, {"elif", "else", "endif"})});
    const std::string end = state.next().text;
    if (end == "elif") continue;
    if (end == "else") {
      branch.branches.push_back({nullptr, parse_body(state, {"endif"})});
      state.next();
    }
    return branch;
  }
}

TemplateStatement parse_set(ParserState& state, int line) {
  AssignmentTarget target = parse_target(state, true);
  if (state.skip_op("=")) {
    TemplateStatement assign = make(StatementKind::assign, line);
    assign.target = std::move(target);
    assign.expression = parse_expressions(state);
    return assign;
  }
  TemplateStatement block = make(StatementKind::assign_block, line);
  block.target = std::move(target);
  block.expression = parse_filters(state, nullptr);
  block.body = parse_body(state, {"endset"});
  state.next();
  return block;
}

void parse_parameters(ParserState& state, MacroBody& macro) {
  state.expect_op("(");
  while (!state.at_op(")")) {
    if (!macro.parameters.empty()) state.expect_op(",");
    const int line = state.peek().line;
    MacroBody::Parameter parameter{state.name_id(state.take_name()), nullptr};
    if (state.skip_op("=")) {
      parameter.fallback = parse_expression(state);
    } else if (!macro.parameters.empty() && macro.parameters.back().fallback) {
      state.raise(text({"a parameter without a default follows one with",
                        "无默认值的参数不能位于有默认值的参数之后"}),
                  line);
    }
    macro.parameters.push_back(std::move(parameter));
  }
  state.expect_op(")");
}

void parse_macro_body(ParserState& state, MacroBody& macro, std::string_view end) {
  state.macros.push_back(&macro);
  macro.body = parse_body(state, {end});
  state.macros.pop_back();
  state.next();
}

TemplateStatement parse_macro(ParserState& state, int line) {
  TemplateStatement statement = make(StatementKind::macro, line);
  statement.macro = std::make_unique<MacroBody>();
  statement.macro->name = state.take_name();
  statement.id = state.name_id(statement.macro->name);
  parse_parameters(state, *statement.macro);
  parse_macro_body(state, *statement.macro, "endmacro");
  return statement;
}

TemplateStatement parse_call_block(ParserState& state, int line) {
  TemplateStatement statement = make(StatementKind::call_block, line);
  statement.macro = std::make_unique<MacroBody>();
  statement.macro->name = "caller";
  if (state.at_op("(")) parse_parameters(state, *statement.macro);
  statement.expression = parse_expression(state);
  if (statement.expression->kind != ExpressionKind::call)
    state.raise(text({"{{% call %}} needs a call", "{{% call %}} 之后应为调用"}), line);
  parse_macro_body(state, *statement.macro, "endcall");
  return statement;
}

TemplateStatement parse_filter_block(ParserState& state, int line) {
  TemplateStatement statement = make(StatementKind::filter_block, line);
  statement.expression = parse_filters(state, nullptr, true);
  statement.body = parse_body(state, {"endfilter"});
  state.next();
  return statement;
}

TemplateStatement parse_with(ParserState& state, int line) {
  TemplateStatement statement = make(StatementKind::with, line);
  while (!state.at(TokenType::block_end)) {
    if (!statement.bindings.empty()) state.expect_op(",");
    AssignmentTarget target = parse_single_target(state, false);
    state.expect_op("=");
    statement.bindings.emplace_back(std::move(target), parse_expression(state));
  }
  statement.body = parse_body(state, {"endwith"});
  state.next();
  return statement;
}

TemplateStatement parse_statement(ParserState& state) {
  const Nesting nesting(state);
  const int line = state.peek().line;
  const std::string tag = state.take_name();
  if (tag == "for") return parse_for(state, line);
  if (tag == "if") return parse_if(state, line);
  if (tag == "set") return parse_set(state, line);
  if (tag == "macro") return parse_macro(state, line);
  if (tag == "call") return parse_call_block(state, line);
  if (tag == "filter") return parse_filter_block(state, line);
  if (tag == "with") return parse_with(state, line);
  if (tag == "break") return make(StatementKind::leave_loop, line);
  if (tag == "continue") return make(StatementKind::next_round, line);
  if (tag == "generation") {
    TemplateStatement scope = make(StatementKind::scope, line);
    scope.body = parse_body(state, {"endgeneration"});
    state.next();
    return scope;
  }
  if (tag == "print") {
    TemplateStatement output = make(StatementKind::output, line);
    output.expression = parse_expressions(state);
    return output;
  }
  state.raise(text({"{{% {} %}} is not a tag of chat templates, or not expected here",
                    "{{% {} %}} 不是对话模板的标签，或不应出现在此处"},
                   printable(tag)),
              line);
}

// Up to and including the opening of the tag that ends the block: its name is the next token.
Block parse_block(ParserState& state, std::initializer_list<std::string_view> ends) {
  Block block;
  for (;;) {
    const TemplateToken& token = state.peek();
    if (token.type == TokenType::data) {
      TemplateStatement data = make(StatementKind::text, token.line);
      data.value = Value::text(token.text);
      block.push_back(std::move(data));
      state.next();
    } else if (token.type == TokenType::variable_begin) {
      state.next();
      TemplateStatement output = make(StatementKind::output, token.line);
      output.expression = parse_expressions(state);
      state.expect(TokenType::variable_end);
      block.push_back(std::move(output));
    } else if (token.type == TokenType::block_begin) {
      state.next();
      if (state.at(TokenType::name) &&
          std::find(ends.begin(), ends.end(), state.peek().text) != ends.end())
        return block;
      block.push_back(parse_statement(state));
      state.expect(TokenType::block_end);
    } else {
      if (ends.size() == 0) return block;
      const std::string_view wanted = *(ends.end() - 1);
      state.raise(text({"the template ends where {{% {} %}} is still missing",
                        "模板结束时仍缺少 {{% {} %}}"},
                       wanted),
                  token.line);
    }
  }
}

}  // namespace

SyntaxTree parse_template(std::string_view source) {
  ParserState state(lex_template(source));
  SyntaxTree tree;
  tree.body = parse_block(state, {});
  tree.names = state.take_names();
  return tree;
}

}  // namespace premise
