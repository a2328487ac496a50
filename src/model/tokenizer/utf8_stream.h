// Bytes in as they come, whole characters out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace premise {

/// Joins characters that arrive in parts, and replaces what is not UTF-8: one U+FFFD for each
/// maximal part of a character that is broken off, as Unicode (chapter 3.9, "U+FFFD Substitution of
/// Maximal Subparts"), Python and browsers do. A part is replaced as soon as it is known to be
/// broken, by the byte that does not continue it. What comes out in all depends on the bytes alone,
/// not on how they were cut.
class Utf8Stream {
 public:
  /// Appends the text that is complete now.
  void push(std::string_view bytes, std::string& out);

  /// The end of the bytes: a character that waits for more is broken. Ready for another stream.
  void flush(std::string& out);

 private:
  void begin_character(std::uint8_t byte, std::string& out);

  std::string pending_;        // the bytes of an incomplete character
  int missing_ = 0;            // how many more it needs
  std::uint8_t least_ = 0x80;  // what the next of them may be
  std::uint8_t most_ = 0xbf;
};

}  // namespace premise
