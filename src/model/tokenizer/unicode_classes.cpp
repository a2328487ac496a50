#include "model/tokenizer/unicode_classes.h"

#include <algorithm>
#include <map>

namespace premise {
namespace {

struct Range {
  char32_t first;  // up to the next range's first
  CharClass flags;
};
constexpr Range ranges[] = {
#include "model/tokenizer/unicode_classes_data.inc"
};
static_assert(ranges[0].first == 0);

bool continuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

}  // namespace

const UnicodeClasses& UnicodeClasses::instance() {
  static const UnicodeClasses classes;
  return classes;
}

UnicodeClasses::UnicodeClasses() {
  std::map<std::vector<CharClass>, std::uint16_t> seen;
  std::size_t range = 0;
  for (std::size_t block = 0; block < index_.size(); ++block) {
    std::vector<CharClass> flags(128, 0);
    for (std::size_t i = 0; i < 128; ++i) {
      const auto code = static_cast<char32_t>(block * 128 + i);
      while (range + 1 < std::size(ranges) && ranges[range + 1].first <= code) ++range;
      flags[i] = ranges[range].flags;
    }
    const auto next = static_cast<std::uint16_t>(seen.size());
    const auto [entry, fresh] = seen.emplace(flags, next);
    if (fresh) blocks_.insert(blocks_.end(), flags.begin(), flags.end());
    index_[block] = entry->second;
  }
}

Char decode_char(std::string_view text, std::size_t at) {
  static const UnicodeClasses& classes = UnicodeClasses::instance();
  if (at >= text.size()) return {};
  const auto* p = reinterpret_cast<const unsigned char*>(text.data()) + at;
  const std::size_t left = text.size() - at;
  if (p[0] < 0x80) return {p[0], classes.of(p[0]), 1, true};
  char32_t code = 0;
  std::uint8_t bytes = 0;
  if (p[0] >= 0xC2 && p[0] < 0xE0 && left >= 2 && continuation(p[1])) {
    code = (p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu);
    bytes = 2;
  } else if (p[0] >= 0xE0 && p[0] < 0xF0 && left >= 3 && continuation(p[1]) && continuation(p[2])) {
    code = (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
    bytes = code >= 0x800 && (code < 0xD800 || code > 0xDFFF) ? 3 : 0;
  } else if (p[0] >= 0xF0 && p[0] < 0xF5 && left >= 4 && continuation(p[1]) && continuation(p[2]) &&
             continuation(p[3])) {
    code = (p[0] & 0x07u) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
    bytes = code >= 0x10000 && code < 0x110000 ? 4 : 0;
  }
  if (bytes == 0) return {0xFFFD, classes.of(0xFFFD), 1, false};
  return {code, classes.of(code), bytes, true};
}

void append_utf8(char32_t code, std::string& out) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

}  // namespace premise
