// GPT-2's spelling of bytes: vocabularies of byte-level BPE are files of printable text, so each
// byte is written as one character: itself where that is printable in Latin-1, else the next free
// one from U+0100 on (space is "Ġ", newline "Ċ"). Source: OpenAI's gpt-2 encoder.py.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "model/tokenizer/unicode_classes.h"

namespace premise {

constexpr bool byte_is_its_own_spelling(unsigned byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

/// The character that spells each byte.
inline constexpr std::array<char32_t, 256> byte_spellings = [] {
  std::array<char32_t, 256> spellings{};
  char32_t next = 0x100;
  for (unsigned byte = 0; byte < 256; ++byte) {
    spellings[byte] = byte_is_its_own_spelling(byte) ? static_cast<char32_t>(byte) : next++;
  }
  return spellings;
}();

/// The bytes that a piece spells, or nothing when it has a character that spells no byte.
inline std::optional<std::string> bytes_of_spelling(std::string_view piece) {
  static const auto bytes = [] {
    std::array<std::int16_t, 0x144> table;
    table.fill(-1);
    for (std::size_t byte = 0; byte < 256; ++byte) {
      table[byte_spellings[byte]] = static_cast<std::int16_t>(byte);
    }
    return table;
  }();
  std::string out;
  for (std::size_t at = 0; at < piece.size();) {
    const Char c = decode_char(piece, at);
    if (!c.valid || c.code >= bytes.size() || bytes[c.code] < 0) return std::nullopt;
    out += static_cast<char>(bytes[c.code]);
    at += c.bytes;
  }
  return out;
}

}  // namespace premise
