#include "model/chat/lexer.h"

#include <array>
#include <charconv>
#include <cmath>

#include "model/chat/failure.h"
#include "model/chat/string_literal.h"
#include "model/chat/unicode_text.h"

namespace premise {
namespace {

constexpr std::array<std::string_view, 26> spellings = {
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[",
    "]",  "(",  ")",  "{",  "}",  ">",  "<", "=", ".", ":", "|", ",", ";"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
// Letters beyond ASCII are allowed in names, as in Python; which of them need not be known here.
bool is_name_char(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// One kind of line break, and none at the very end.
std::string normalized(std::string_view source) {
  std::string text;
  text.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      text += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    } else {
      text += source[i];
    }
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : storage_(normalized(source)), text_(storage_) {}

  std::vector<TemplateToken> run() {
    while (at_ < text_.size()) {
      const std::size_t tag = find_tag();
      if (tag == text_.npos) {
        push_data(at_, text_.size());
        advance(text_.size());
      } else {
        lex_tag(tag);
      }
    }
    push(TokenType::end, {});
    return std::move(tokens_);
  }

 private:
  // "{%", "{{" or "{#", whichever comes first.
  std::size_t find_tag() const {
    for (std::size_t at = text_.find('{', at_); at != text_.npos; at = text_.find('{', at + 1))
      if (at + 1 < text_.size() && std::string_view("%{#").find(text_[at + 1]) != text_.npos)
        return at;
    return text_.npos;
  }

  char byte(std::size_t at) const { return at < text_.size() ? text_[at] : '\0'; }

  // The text before a tag, stripped as the tag's sign wants it; `at_` comes to lie behind the sign.
  void push_text_before(std::size_t tag, bool strips_indentation) {
    const char sign = byte(tag + 2);
    std::size_t end = tag;
    const std::string_view before = text_.substr(at_, tag - at_);
    if (sign == '-') {
      end = at_ + strip_spaces(before, false, true).end;
    } else if (sign != '+' && strips_indentation) {
      const std::size_t line = before.rfind('\n') + 1;  // 0 where there is none
      if ((line > 0 || line_starting_) &&
          strip_spaces(before.substr(line), true, false).begin == before.size() - line)
        end = at_ + line;
    }
    push_data(at_, end);
    advance(tag + 2 + (sign == '-' || sign == '+'));
  }

  void lex_tag(std::size_t tag) {
    const char kind = text_[tag + 1];
    push_text_before(tag, kind != '{');
    if (kind == '#') {
      skip_comment();
    } else if (kind == '{') {
      push(TokenType::variable_begin, {});
      lex_code("}}", TokenType::variable_end);
    } else if (!lex_raw()) {
      push(TokenType::block_begin, {});
      lex_code("%}", TokenType::block_end);
    }
  }

  void skip_comment() {
    const std::size_t close = text_.find("#}", at_);
    if (close == text_.npos)
      raise(text({"a comment is not closed with #}}", "注释没有以 #}} 结束"}));
    const char sign = close > at_ ? text_[close - 1] : '\0';
    finish_tag(close, sign, true);
  }

  // Moves behind the two bytes of a closing tag at `close` and the white space it swallows.
  void finish_tag(std::size_t close, char sign, bool trims_break) {
    std::size_t end = close + 2;
    if (sign == '-') {
      end += strip_spaces(text_.substr(end), true, false).begin;
    } else if (sign != '+' && trims_break && byte(end) == '\n') {
      ++end;
    }
    line_starting_ = text_[end - 1] == '\n';
    advance(end);
  }

  std::size_t skip_spaces(std::size_t at) const {
    return at + strip_spaces(text_.substr(at), true, false).begin;
  }

  // {% raw %} … {% endraw %}: the text between them as it stands.
  bool lex_raw() {
    std::size_t at = skip_spaces(at_);
    if (text_.substr(at, 3) != "raw") return false;
    at = skip_spaces(at + 3);
    const bool strips = byte(at) == '-';
    if (text_.substr(at + strips, 2) != "%}") return false;
    finish_tag(at + strips, strips ? '-' : '+', false);
    for (std::size_t tag = text_.find("{%", at_); tag != text_.npos;
         tag = text_.find("{%", tag + 2)) {
      const char sign = byte(tag + 2);
      std::size_t end = skip_spaces(tag + 2 + (sign == '-' || sign == '+'));
      if (text_.substr(end, 6) != "endraw") continue;
      end = skip_spaces(end + 6);
      const char closing = byte(end);
      if (closing == '-' || closing == '+') ++end;
      if (text_.substr(end, 2) != "%}") continue;
      push_text_before(tag, true);
      finish_tag(end, closing, true);
      return true;
    }
    raise(text({"{{% raw %}} is not closed with {{% endraw %}}",
                "{{% raw %}} 没有以 {{% endraw %}} 结束"}));
  }

  void lex_code(std::string_view close, TokenType closing) {
    std::string open;  // brackets that wait for their partner
    while (at_ < text_.size()) {
      if (open.empty()) {
        const char sign = byte(at_);
        const bool has_sign = sign == '-' || (sign == '+' && closing == TokenType::block_end);
        if (text_.substr(at_ + has_sign, 2) == close) {
          push(closing, {});
          finish_tag(at_ + has_sign, has_sign ? sign : '\0', closing == TokenType::block_end);
          return;
        }
      }
      if (is_space(character_at(text_, at_))) {
        advance(at_ + character_bytes(text_, at_));
      } else if (!lex_number() && !lex_name() && !lex_string()) {
        lex_operator(open);
      }
    }
    raise(text({"the template ends inside a tag", "模板在标签内部结束"}));
  }

  std::size_t digits(std::size_t at, auto is_one) const {
    std::size_t end = at;
    while (is_one(byte(end)) || (end > at && byte(end) == '_' && is_one(byte(end + 1)))) ++end;
    return end;
  }

  bool lex_number() {
    if (!is_digit(byte(at_))) return false;
    std::size_t end = digits(at_, is_digit);
    bool real = false;
    const bool after_dot = at_ > 0 && text_[at_ - 1] == '.';
    if (!after_dot) {
      if (byte(end) == '.' && is_digit(byte(end + 1))) {
        end = digits(end + 1, is_digit);
        real = true;
      }
      if (byte(end) == 'e' || byte(end) == 'E') {
        const std::size_t digit = end + 1 + (byte(end + 1) == '+' || byte(end + 1) == '-');
        if (is_digit(byte(digit))) {
          end = digits(digit, is_digit);
          real = true;
        }
      }
    }
    if (real) {
      push_real(end);
    } else {
      push_integer(end);
    }
    return true;
  }

  std::string without_underscores(std::size_t end) const {
    std::string plain;
    for (const char c : text_.substr(at_, end - at_))
      if (c != '_') plain += c;
    return plain;
  }

  void push_real(std::size_t end) {
    const std::string plain = without_underscores(end);
    double value = 0;
    const auto [stop, problem] = std::from_chars(plain.data(), plain.data() + plain.size(), value);
    if (problem == std::errc::result_out_of_range)
      value = plain.find("e-") == plain.npos && plain.find("E-") == plain.npos ? HUGE_VAL : 0;
    push(TokenType::real, {});
    tokens_.back().real = value;
    advance(end);
  }

  void push_integer(std::size_t end) {
    int base = 10;
    if (text_[at_] == '0') {
      const char mark = static_cast<char>(byte(at_ + 1) | 0x20);
      base = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 10;
      if (base != 10) {
        const auto is_one = [base](char c) {
          return is_digit(c) ? c - '0' < base
                             : base == 16 && (c | 0x20) >= 'a' && (c | 0x20) <= 'f';
        };
        const std::size_t first = at_ + 2 + (byte(at_ + 2) == '_');
        if (is_one(byte(first))) {
          end = digits(first, is_one);
        } else {
          base = 10;
          end = at_ + 1;
        }
      } else {
        end = digits(at_, [](char c) { return c == '0'; });  // 007 is no number
      }
    }
    const std::string plain = without_underscores(end);
    const char* begin = plain.data() + (base != 10 ? 2 : 0);
    std::int64_t value = 0;
    if (std::from_chars(begin, plain.data() + plain.size(), value, base).ec != std::errc())
      raise(text({"the number {} does not fit 64 bits", "数字 {} 超出 64 位范围"}, plain));
    push(TokenType::integer, {});
    tokens_.back().integer = value;
    advance(end);
  }

  bool lex_name() {
    std::size_t end = at_;
    while (is_name_char(byte(end)) && end < text_.size()) ++end;
    if (end == at_) return false;
    push(TokenType::name, std::string(text_.substr(at_, end - at_)));
    advance(end);
    return true;
  }

  bool lex_string() {
    const char quote = byte(at_);
    if (quote != '"' && quote != '\'') return false;
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote) end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) raise(text({"a string is not closed", "字符串没有结束"}));
    std::string value;
    if (const Text problem = unescape_literal(text_.substr(at_ + 1, end - at_ - 1), value);
        !problem.empty())
      raise(problem);
    push(TokenType::string, std::move(value));
    advance(end + 1);
    return true;
  }

  void lex_operator(std::string& open) {
    for (const std::string_view spelling : spellings) {
      if (text_.substr(at_, spelling.size()) != spelling) continue;
      if (spelling == "(" || spelling == "[" || spelling == "{") {
        open += spelling == "(" ? ')' : spelling == "[" ? ']' : '}';
      } else if (spelling == ")" || spelling == "]" || spelling == "}") {
        if (open.empty() || open.back() != spelling[0])
          raise(text({"\"{}\" closes nothing here", "这里的“{}”没有对应的开括号"}, spelling));
        open.pop_back();
      }
      push(TokenType::op, std::string(spelling));
      advance(at_ + spelling.size());
      return;
    }
    raise(text(
        {"unexpected character in a tag (byte 0x{:02x})", "标签中出现意外的字符（字节 0x{:02x}）"},
        static_cast<unsigned>(static_cast<unsigned char>(text_[at_]))));
  }

  void push_data(std::size_t begin, std::size_t end) {
    if (begin < end) push(TokenType::data, std::string(text_.substr(begin, end - begin)));
  }
  void push(TokenType type, std::string text) {
    TemplateToken token;
    token.type = type;
    token.line = line_;
    token.text = std::move(text);
    tokens_.push_back(std::move(token));
  }
  void advance(std::size_t to) {
    for (; at_ < to; ++at_) line_ += text_[at_] == '\n';
  }
  [[noreturn]] void raise(Text what) const {
    throw TemplateFailure{std::move(what), ErrorCode::bad_input, line_};
  }

  const std::string storage_;
  const std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
  bool line_starting_ = true;
  std::vector<TemplateToken> tokens_;
};

}  // namespace

std::vector<TemplateToken> lex_template(std::string_view source) { return Lexer(source).run(); }

}  // namespace premise
