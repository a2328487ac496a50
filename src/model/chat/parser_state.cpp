#include "model/chat/parser_state.h"

#include "base/printable.h"
#include "model/chat/parser.h"

namespace premise {
namespace {

Text describe(const TemplateToken& token) {
  constexpr std::size_t shown_max = 60;
  switch (token.type) {
    case TokenType::variable_end:
    case TokenType::block_end:
      return text({"the end of the tag", "标签结尾"});
    case TokenType::data:
    case TokenType::variable_begin:
    case TokenType::block_begin:
      return text({"text", "文本"});
    case TokenType::end:
      return text({"the end of the template", "模板结尾"});
    case TokenType::string:
      return text({"a string", "字符串"});
    case TokenType::integer:
    case TokenType::real:
      return text({"a number", "数字"});
    default:
      break;
  }
  return text({"\"{}\"", "“{}”"}, printable(token.text.substr(0, shown_max)));
}

}  // namespace

ParserState::ParserState(std::vector<TemplateToken> tokens) : tokens_(std::move(tokens)) {
  for (const char* name : {"loop", "caller", "varargs", "kwargs"}) name_id(name);
}

const TemplateToken& ParserState::peek(std::size_t ahead) const {
  return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
}

const TemplateToken& ParserState::next() {
  const TemplateToken& token = peek();
  if (at_ + 1 < tokens_.size()) ++at_;
  return token;
}

bool ParserState::skip_op(std::string_view spelling) {
  if (!at_op(spelling)) return false;
  next();
  return true;
}

bool ParserState::skip_name(std::string_view spelling) {
  if (!at_name(spelling)) return false;
  next();
  return true;
}

void ParserState::expect_op(std::string_view spelling) {
  if (!skip_op(spelling)) unexpected(text({"\"{}\"", "此处应为“{}”"}, spelling));
}

void ParserState::expect_name(std::string_view spelling) {
  if (!skip_name(spelling)) unexpected(text({"\"{}\"", "此处应为“{}”"}, spelling));
}

void ParserState::expect(TokenType type) {
  if (!at(type)) unexpected(text({"the end of the tag", "标签应在此结束"}));
  next();
}

std::string ParserState::take_name() {
  if (!at(TokenType::name)) unexpected(text({"a name", "此处应为名称"}));
  return next().text;
}

NameId ParserState::name_id(const std::string& name) {
  const auto [at, added] = ids_.try_emplace(name, static_cast<NameId>(names_.size()));
  if (added) names_.push_back(name);
  return at->second;
}

void ParserState::raise(Text what, int line) const {
  throw TemplateFailure{std::move(what), ErrorCode::bad_input, line};
}

void ParserState::unexpected(const Text& wanted) const {
  const Text found = describe(peek());
  raise({"expected " + wanted.en + ", found " + found.en, wanted.zh + "，实际为" + found.zh},
        peek().line);
}

Nesting::Nesting(ParserState& state) : state_(state) {
  if (state.nesting >= template_nesting_max)
    state.raise(text({"nested beyond {} levels", "嵌套超过 {} 层"}, int{template_nesting_max}),
                state.peek().line);
  ++state.nesting;
}

}  // namespace premise
