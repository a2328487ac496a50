// Steps over characters for hand-written splitters. ASCII never leaves this header.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "model/tokenizer/unicode_classes.h"

namespace premise {

constexpr CharClass ascii_class(unsigned char c) {
  if (c >= 'a' && c <= 'z') return class_lower;
  if (c >= 'A' && c <= 'Z') return class_upper;
  if (c >= '0' && c <= '9') return class_number;
  if ((c >= 9 && c <= 13) || c == ' ') return class_space;
  if (c <= ' ' || c >= 0x7F) return 0;
  constexpr std::string_view symbols = "$+<=>^`|~";
  const bool symbol = symbols.find(static_cast<char>(c)) != symbols.npos;
  return static_cast<CharClass>(class_punctuation_step |
                                (symbol ? class_symbol : class_punctuation));
}

inline constexpr std::array<CharClass, 128> ascii_classes = [] {
  std::array<CharClass, 128> classes{};
  for (unsigned i = 0; i < 128; ++i) classes[i] = ascii_class(static_cast<unsigned char>(i));
  return classes;
}();

inline Char peek(std::string_view text, std::size_t at) {
  if (at < text.size()) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x80) return {byte, ascii_classes[byte], 1, true};
  }
  return decode_char(text, at);
}

/// The end of the longest run of characters from `at` on whose flags `keep` accepts.
template <typename Keep>
std::size_t run_while_flags(std::string_view text, std::size_t at, Keep keep) {
  for (;;) {
    while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) {
      if (!keep(ascii_classes[static_cast<unsigned char>(text[at])])) return at;
      ++at;
    }
    const Char c = decode_char(text, at);
    if (c.end() || !keep(c.flags)) return at;
    at += c.bytes;
  }
}

/// Characters with any of these flags.
inline std::size_t run_of(std::string_view text, std::size_t at, CharClass flags) {
  return run_while_flags(text, at, [=](CharClass c) { return (c & flags) != 0; });
}

/// Characters with none of these flags.
inline std::size_t run_without(std::string_view text, std::size_t at, CharClass flags) {
  return run_while_flags(text, at, [=](CharClass c) { return (c & flags) == 0; });
}

inline bool is_newline(char32_t code) { return code == '\r' || code == '\n'; }

}  // namespace premise
