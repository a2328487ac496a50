// The algorithm between text and ids, without special tokens: byte-level BPE, SentencePiece BPE,
// Unigram, WordPiece. Tokenizer (tokenizer.h) splits special tokens off first and calls this for
// the text between them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace premise {

using TokenId = std::int32_t;

class TokenModel {
 public:
  virtual ~TokenModel() = default;

  /// Appends the ids of `text` to `out`. Takes any bytes, broken UTF-8 included; never fails, and
  /// takes time near-linear in the text. `first` says that the fragment opens the whole text (some
  /// models put a space in front of it only there). Thread-safe.
  virtual void encode(std::string_view text, bool first, std::vector<TokenId>& out) const = 0;
};

}  // namespace premise
