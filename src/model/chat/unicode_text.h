// Characters as Python's str sees them: code points, white space, letter case, what is printable.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "model/chat/marked_string.h"

namespace premise {

/// Bytes of the character at `at` (which lies within the text). A byte that is not UTF-8 counts as
/// a character of its own.
std::size_t character_bytes(std::string_view text, std::size_t at);
/// Its code point; U+FFFD for a byte that is not UTF-8.
char32_t character_at(std::string_view text, std::size_t at);
std::size_t count_characters(std::string_view text);
/// The byte offset of the character with this index, or text.size().
std::size_t offset_of_character(std::string_view text, std::size_t index);

/// str.isspace of one character, which is what strip() and "\s" take off.
bool is_space(char32_t code);
/// What repr() writes as it is.
bool is_printable(char32_t code);
bool is_upper(char32_t code);
bool is_lower(char32_t code);
bool is_alphabetic(char32_t code);
bool is_decimal(char32_t code);

/// The bytes left when white space is taken off either end: [begin, end).
struct TextRange {
  std::size_t begin = 0, end = 0;
};
TextRange strip_spaces(std::string_view text, bool left, bool right);

/// Case mapping with the full rules (ß → SS, final sigma); marks follow their characters.
MarkedString upper_case(const MarkedString& text);
MarkedString lower_case(const MarkedString& text);
/// The first character in title case, the others in lower case.
MarkedString capitalized(const MarkedString& text);
/// str.title(): each run of letters capitalized.
MarkedString title_case(const MarkedString& text);

}  // namespace premise
