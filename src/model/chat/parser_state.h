// What the two halves of the parser share: the tokens, the names, the failures.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/chat/ast.h"
#include "model/chat/failure.h"
#include "model/chat/lexer.h"

namespace premise {

class ParserState {
 public:
  explicit ParserState(std::vector<TemplateToken> tokens);

  const TemplateToken& peek(std::size_t ahead = 0) const;
  const TemplateToken& next();
  bool at_op(std::string_view spelling) const { return peek().is_op(spelling); }
  bool at_name(std::string_view spelling) const { return peek().is_name(spelling); }
  bool at(TokenType type) const { return peek().type == type; }
  bool skip_op(std::string_view spelling);
  bool skip_name(std::string_view spelling);
  void expect_op(std::string_view spelling);
  void expect_name(std::string_view spelling);
  void expect(TokenType type);
  std::string take_name();

  NameId name_id(const std::string& name);
  std::vector<std::string> take_names() { return std::move(names_); }

  [[noreturn]] void raise(Text what, int line) const;
  [[noreturn]] void unexpected(const Text& wanted) const;

  /// Macros around the point that is being parsed: a mention of caller, varargs or kwargs there
  /// makes each of them take it.
  std::vector<MacroBody*> macros;

  int nesting = 0;

 private:
  std::vector<TemplateToken> tokens_;
  std::size_t at_ = 0;
  std::vector<std::string> names_;
  std::map<std::string, NameId, std::less<>> ids_;
};

/// One level of brackets or blocks.
class Nesting {
 public:
  explicit Nesting(ParserState& state);
  ~Nesting() { --state_.nesting; }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;

 private:
  ParserState& state_;
};

/// expression: `a if b else c` and everything that binds tighter; without a condition where an
/// `if` that follows belongs to the statement (for x in y if …).
ExpressionPtr parse_expression(ParserState& state, bool with_condition = true);
/// One expression, or a tuple of several with commas between them.
ExpressionPtr parse_expressions(ParserState& state, bool with_condition = true,
                                bool in_parentheses = false);
/// `| filter | filter(…)` behind `inner`, which may be null: the first filter is then the innermost
/// and has no child. `named` says that the first "|" has been left out (filter blocks).
ExpressionPtr parse_filters(ParserState& state, ExpressionPtr inner, bool named = false);

}  // namespace premise
