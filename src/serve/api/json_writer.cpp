#include "serve/api/json_writer.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <iterator>

namespace premise {
namespace {

// Bytes of the character at the front of `text`, 0 where there is none (Unicode, table 3-7).
std::size_t character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first < 0xF0) {
    const bool fine = first == 0xE0 ? byte(1) >= 0xA0 : first != 0xED || byte(1) < 0xA0;
    return fine && follows(1) && follows(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first < 0xF5) {
    const bool fine = first == 0xF0 ? byte(1) >= 0x90 : first != 0xF4 || byte(1) < 0x90;
    return fine && follows(1) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

void append_ascii(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
      else
        out += c;
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const std::size_t bytes = character_bytes(text);
    if (bytes == 1)
      append_ascii(out, text[0]);
    else if (bytes == 0)
      out += "\xEF\xBF\xBD";
    else
      out += text.substr(0, bytes);
    text.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  out += '"';
}

void append_json_number(std::string& out, float value) {
  if (!std::isfinite(value)) value = value > 0.0f ? 9999.0f : -9999.0f;
  fmt::format_to(std::back_inserter(out), "{}", value);
}

}  // namespace premise
