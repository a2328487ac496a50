// DRY, "don't repeat yourself": a penalty on the token that would prolong a repetition.
//
// Where the end of the text equals an earlier stretch of it, the token that followed there would
// repeat one more. With n the longest such stretch that a token followed, the token's logit loses
// multiplier * base^(n - allowed), for n of at least `allowed` (and at least 1). Stretches do not
// reach across breakers, and breakers themselves are never penalized. By P. E. Weidmann, 2024:
// https://github.com/oobabooga/text-generation-webui/pull/5677.
//
// All lengths come from one Z-array of the text read backwards (Gusfield, "Algorithms on Strings,
// Trees and Sequences", 1997, chapter 1): z[k] is how far the text from k tokens before its end on
// agrees, backwards, with its end. Linear in the window; comparing at every place is quadratic on
// the very texts that need DRY.
#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "engine/request/request.h"

namespace premise {

class Dry {
 public:
  explicit Dry(const SamplingParams& params);

  /// The text grew by one token. Nothing is kept where the multiplier is 0.
  void remember(TokenId token);

  /// A penalty discourages and never forbids: finite logits stay finite. Tokens outside the row
  /// are ignored.
  void apply(std::span<float> logits);

 private:
  struct Repetition {
    TokenId token;       // would prolong
    std::size_t length;  // a repetition of so many tokens
  };

  bool is_breaker(TokenId token) const;
  std::size_t unbroken_end(std::span<const TokenId> text) const;
  void find_repetitions(std::span<const TokenId> text);
  float penalty(std::size_t length) const;

  double multiplier_, base_;
  std::size_t allowed_, window_;
  std::vector<TokenId> breakers_;  // sorted
  std::vector<TokenId> text_;      // at least the window, at most about twice as much
  std::vector<std::size_t> z_;     // scratch
  std::vector<Repetition> repetitions_;
};

}  // namespace premise
