// Tokens that are recognised as they stand in the text, before any model sees it: control tokens
// ("<|im_end|>", only where the caller allows it) and user-defined ones (always).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/tokenizer/token_model.h"

namespace premise {

struct SpecialToken {
  std::string text;
  TokenId id = -1;
  bool control = false;      // not recognised unless control tokens are asked for
  bool single_word = false;  // only where no letter, digit or "_" stands next to it
  bool takes_left = false;   // swallows the whitespace before it
  bool takes_right = false;  // and behind it
};

struct SpecialMatch {
  std::size_t begin = 0, end = 0;  // bytes of the text, swallowed whitespace included
  TokenId id = -1;
};

/// Immutable and thread-safe.
class SpecialTokens {
 public:
  /// Tokens with an empty text are left out.
  explicit SpecialTokens(std::vector<SpecialToken> tokens = {});

  bool empty() const { return tokens_.empty(); }

  /// The first match at or after `from`, the longest of those that start there. Time: linear in the
  /// text passed over, times the length of the longest token in the worst case.
  std::optional<SpecialMatch> find(std::string_view text, std::size_t from, bool control) const;

 private:
  const SpecialToken* longest_at(std::string_view text, std::size_t at, bool control) const;

  std::vector<SpecialToken> tokens_;      // sorted by text
  std::array<std::size_t, 257> first_{};  // tokens_ by first byte
};

}  // namespace premise
