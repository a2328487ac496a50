// The few classes of characters that tokenizers split text by, and a tolerant UTF-8 reader.
//
// Published pre-tokenizers are regular expressions over \p{L}, \p{M}, \p{N}, \p{P}, \p{S}, \s and
// the case of letters. Nine flags in a two-stage table answer all of them with one load. The table
// is a fixed version of Unicode (16, that of the reference library) and is part of the source: the
// libraries of the distributions (utf8proc, PCRE2: Unicode 14 or 15) disagree with each other and
// with the reference on some ten thousand characters, and token ids must not depend on the machine.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace premise {

using CharClass = std::uint16_t;
inline constexpr CharClass class_upper = 1;         // Lu, Lt
inline constexpr CharClass class_lower = 2;         // Ll
inline constexpr CharClass class_caseless = 4;      // Lm, Lo
inline constexpr CharClass class_mark = 8;          // M
inline constexpr CharClass class_number = 16;       // N
inline constexpr CharClass class_space = 32;        // White_Space
inline constexpr CharClass class_punctuation = 64;  // P
inline constexpr CharClass class_symbol = 128;      // S
inline constexpr CharClass class_punctuation_step =
    256;  // the step named "Punctuation" splits here
inline constexpr CharClass class_letter = class_upper | class_lower | class_caseless;

/// One character as read from bytes that need not be UTF-8.
struct Char {
  char32_t code = 0;  // U+FFFD for a byte that is not part of a valid sequence
  CharClass flags = 0;
  std::uint8_t bytes = 0;  // 1 to 4; 0 at the end of the text
  bool valid = true;

  bool is(CharClass any_of) const { return (flags & any_of) != 0; }
  bool end() const { return bytes == 0; }
};

/// Expanded once from ranges; read-only afterwards.
class UnicodeClasses {
 public:
  static const UnicodeClasses& instance();

  CharClass of(char32_t code) const {
    return code < 0x110000 ? blocks_[index_[code >> 7] * 128u + (code & 127)] : CharClass{0};
  }

 private:
  UnicodeClasses();
  std::array<std::uint16_t, 0x110000 / 128> index_{};
  std::vector<CharClass> blocks_;
};

/// The character at `at`; reads nothing beyond text.size(). Overlong forms, surrogates and codes
/// above U+10FFFF count as invalid: one byte each.
Char decode_char(std::string_view text, std::size_t at);

/// Appends the UTF-8 form of a code point below 0x110000.
void append_utf8(char32_t code, std::string& out);

}  // namespace premise
