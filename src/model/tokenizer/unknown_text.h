// What becomes of text for which a vocabulary has no piece: its bytes' tokens, or `unknown`.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "model/tokenizer/vocabulary.h"

namespace premise {

/// Rules of SentencePiece: with byte tokens (<0x00> … <0xFF>), one for each byte; without, one
/// `unknown` for a whole run of unknown characters. A vocabulary that has neither drops the text.
class UnknownText {
 public:
  static constexpr TokenId none = -1;

  explicit UnknownText(const Vocabulary& vocabulary);

  /// Appends to `out`, whose tokens before `begin` belong to other text and are never fused with.
  void append(std::string_view text, std::size_t begin, std::vector<TokenId>& out) const;

  TokenId unknown() const { return unknown_; }

 private:
  std::array<TokenId, 256> byte_tokens_{};
  TokenId unknown_ = none;
};

}  // namespace premise
