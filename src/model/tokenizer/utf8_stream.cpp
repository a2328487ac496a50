// Well-formed sequences (Unicode, table 3-7) differ from "a lead byte and continuations" only in
// the second byte: it is narrower after E0 (no overlong forms), ED (no surrogates), F0 (no overlong
// forms) and F4 (nothing above U+10FFFF).
#include "model/tokenizer/utf8_stream.h"

#include "model/tokenizer/special_characters.h"

namespace premise {
void Utf8Stream::begin_character(std::uint8_t byte, std::string& out) {
  least_ = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
  most_ = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
  if (byte < 0x80) {
    out += static_cast<char>(byte);
  } else if (byte < 0xc2 || byte > 0xf4) {
    out += replacement_character;
  } else {
    missing_ = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    pending_.assign(1, static_cast<char>(byte));
  }
}

void Utf8Stream::push(std::string_view bytes, std::string& out) {
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (missing_ > 0 && (byte < least_ || byte > most_)) flush(out);
    if (missing_ == 0) {
      begin_character(byte, out);
      continue;
    }
    pending_ += c;
    least_ = 0x80;
    most_ = 0xbf;
    if (--missing_ == 0) out += pending_;
  }
}

void Utf8Stream::flush(std::string& out) {
  if (missing_ > 0) out += replacement_character;
  missing_ = 0;
}

}  // namespace premise
