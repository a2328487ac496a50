// Tokens that are recognised as they stand in the text, before any model sees it: control tokens
// ("<|im_end|>", only where the caller allows it) and user-defined ones.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/tokenizer/token_model.h"
#include "model/tokenizer/trusted_runs.h"

namespace premise {

struct SpecialToken {
  std::string text;
  TokenId id = -1;
  bool control = false;       // not recognised unless control tokens are asked for
  bool single_word = false;   // only where no letter, digit or "_" stands next to it
  bool takes_left = false;    // swallows the whitespace before it
  bool takes_right = false;   // and behind it
  bool trusted_only = false;  // not recognised in data, although no control token
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

  /// The same in a text of two origins. Control tokens and those that are trusted_only are found
  /// only where all their bytes are trusted; others anywhere, but never over a part of one that
  /// is found in trusted bytes: data can neither make such a token nor break one up.
  std::optional<SpecialMatch> find(std::string_view text, std::size_t from,
                                   const TrustedRuns& runs) const;

 private:
  template <typename Allowed>
  const SpecialToken* longest_at(std::string_view text, std::size_t at, Allowed allowed) const;
  template <typename At>
  std::optional<SpecialMatch> find_first(std::string_view text, std::size_t from,
                                         At token_at) const;

  std::vector<SpecialToken> tokens_;      // sorted by text
  std::array<std::size_t, 257> first_{};  // tokens_ by first byte
};

}  // namespace premise
