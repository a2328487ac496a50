// What one code point is to the word filter: how it folds, and what it does to its neighbours.
//
// Folding is Unicode's NFKC plus full case folding, held in its decomposed form (NFKD): two texts
// are equal after the one exactly where they are after the other, and decomposing works code point
// by code point, so that a stream may be cut anywhere and every folded code point knows the bytes
// it came from. Composing would need a second map from pairs to letters and gain nothing. Data:
// utf8proc (Unicode 15.0 in its version 2.8); normalization of a letter never changes once it is
// assigned (Unicode's stability policy), so that versions differ only in letters that they lack.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace premise {

/// Set of properties of a folded code point.
enum CodeClass : std::uint16_t {
  code_mark = 1,         // attaches to the letter before it
  code_letter = 2,       // or digit
  code_bordered = 4,     // letter or digit of a script that writes its words apart
  code_han = 8,          // Chinese character
  code_separator = 16,   // is passed over beside a Chinese character
  code_white = 32,       // white space: a kind of separator
  code_jamo = 64,        // piece of a Hangul syllable
  code_jamo_inner = 128  // vowel or final: belongs to the jamo before it
};
std::uint16_t class_of(char32_t code);

/// Canonical combining class: marks of one letter are ordered by it.
int combining_class(char32_t code);

/// True where a mark changes the letter: Unicode has the letter with it (e with acute), or the
/// script writes its vowels and tones so (Devanagari, Thai, Arabic). Every other mark decorates
/// (a struck out k, a Chinese character with an accent) and is ignored.
bool mark_counts(char32_t letter, char32_t mark);

struct FoldedCodes {
  std::array<char32_t, 32> codes;
  std::size_t count = 0;  // 0: an ignored character (zero width, control, bidirectional, filler)
};
/// White space comes out as U+0020, breaks of a line as U+000A; "⒡" loses its parentheses.
FoldedCodes fold_code(char32_t code);

}  // namespace premise
