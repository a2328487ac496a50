#include "model/chat/string_literal.h"

#include <charconv>
#include <cstdint>

namespace premise {
namespace {

void append_code(std::uint32_t code, std::string& out) {
  if (code < 0x80) {
    out += static_cast<char>(code);
    return;
  }
  const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  constexpr unsigned leads[] = {0, 0xC0, 0xE0, 0xF0};
  out += static_cast<char>(leads[more] | (code >> (6 * more)));
  for (int i = more - 1; i >= 0; --i) out += static_cast<char>(0x80 | ((code >> (6 * i)) & 0x3F));
}

constexpr std::string_view simple_escapes = "nrtabfv\\'\"";
constexpr std::string_view simple_values = "\n\r\t\a\b\f\v\\'\"";

}  // namespace

Text unescape_literal(std::string_view literal, std::string& out) {
  for (std::size_t i = 0; i < literal.size(); ++i) {
    if (literal[i] != '\\') {
      out += literal[i];
      continue;
    }
    const char c = literal[++i];  // the lexer never ends a string behind a backslash
    if (const auto at = simple_escapes.find(c); at != simple_escapes.npos) {
      out += simple_values[at];
    } else if (c == '\n') {
      continue;  // a line that goes on
    } else if (c >= '0' && c <= '7') {
      unsigned code = 0;
      const std::string_view digits = literal.substr(i, 3);
      const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), code, 8);
      append_code(code, out);
      i += static_cast<std::size_t>(parsed.ptr - digits.data()) - 1;
    } else if (c == 'x' || c == 'u' || c == 'U') {
      const std::size_t length = c == 'x' ? 2 : c == 'u' ? 4 : 8;
      const std::string_view digits = literal.substr(i + 1, length);
      std::uint32_t code = 0;
      const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
      if (digits.size() < length || parsed.ptr != digits.data() + length)
        return text({"\\{} needs {} hexadecimal digits", "\\{} 需要 {} 位十六进制数字"}, c, length);
      if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
        return text({"\\{}{} is no character", "\\{}{} 不是字符"}, c, digits);
      append_code(code, out);
      i += length;
    } else if (c == 'N') {
      return text({"characters by name (\\N) are not supported", "不支持按名称书写字符（\\N）"});
    } else {
      out += '\\';
      out += c;
    }
  }
  return {};
}

}  // namespace premise
