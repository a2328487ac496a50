// Template text into tokens, with the rules of white space applied.
//
// As transformers sets jinja2 up: the line break after a block is dropped (trim_blocks), so is the
// indentation before one (lstrip_blocks), "-" strips all white space on its side, "+" none; a line
// break at the very end is dropped. Source: Jinja's template designer documentation, "Whitespace
// Control".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace premise {

enum class TokenType : std::uint8_t {
  data,
  variable_begin,
  variable_end,
  block_begin,
  block_end,
  name,
  string,
  integer,
  real,
  op,
  end,
};

struct TemplateToken {
  TokenType type = TokenType::end;
  int line = 0;
  std::string text;  // data, name, string: what they say; op: as it is spelled
  std::int64_t integer = 0;
  double real = 0;

  bool is_op(std::string_view spelling) const { return type == TokenType::op && text == spelling; }
  bool is_name(std::string_view spelling) const {
    return type == TokenType::name && text == spelling;
  }
};

/// The last token is of type `end`. Throws TemplateFailure with its line.
std::vector<TemplateToken> lex_template(std::string_view source);

}  // namespace premise
