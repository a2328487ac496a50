#include "model/tokenizer/unknown_text.h"

#include <algorithm>

namespace premise {
namespace {

// The value of an upper-case or lower-case hexadecimal digit, or 16.
unsigned hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  return 16;
}

}  // namespace

UnknownText::UnknownText(const Vocabulary& vocabulary) {
  byte_tokens_.fill(none);
  const std::size_t count = std::min(vocabulary.pieces.size(), vocabulary.kinds.size());
  for (std::size_t id = 0; id < count; ++id) {
    const std::string& piece = vocabulary.pieces[id];
    if (vocabulary.kinds[id] == TokenKind::unknown && unknown_ == none) {
      unknown_ = static_cast<TokenId>(id);
    }
    if (vocabulary.kinds[id] != TokenKind::byte) continue;
    if (piece.size() != 6 || !piece.starts_with("<0x") || piece[5] != '>') continue;
    const unsigned high = hex_digit(piece[3]);
    const unsigned low = hex_digit(piece[4]);
    if (high > 15 || low > 15 || byte_tokens_[high * 16 + low] != none) continue;
    byte_tokens_[high * 16 + low] = static_cast<TokenId>(id);
  }
  if (vocabulary.unknown) unknown_ = *vocabulary.unknown;
}

void UnknownText::append(std::string_view text, std::size_t begin,
                         std::vector<TokenId>& out) const {
  for (const char c : text) {
    const TokenId token = byte_tokens_[static_cast<unsigned char>(c)];
    if (token != none) {
      out.push_back(token);
    } else if (unknown_ != none && (out.size() == begin || out.back() != unknown_)) {
      out.push_back(unknown_);
    }
  }
}

}  // namespace premise
