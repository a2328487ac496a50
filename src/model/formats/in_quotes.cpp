#include "model/formats/in_quotes.h"

#include "base/printable.h"

namespace premise {
namespace {

/// The longest prefix of at most `limit` bytes that does not cut a UTF-8 sequence.
std::string_view prefix(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  std::size_t end = limit;
  while (end > 0 && limit - end < 3 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
    --end;
  return text.substr(0, end);
}

}  // namespace

std::string in_quotes(std::string_view text, std::size_t limit) {
  const std::string_view shown = prefix(text, limit);
  std::string out = "\"";
  for (const char c : printable(shown)) {
    if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else
      out += c;
  }
  out += shown.size() < text.size() ? "…\"" : "\"";
  return out;
}

}  // namespace premise
