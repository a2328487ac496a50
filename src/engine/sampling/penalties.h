// Penalties on tokens that the text already holds.
//
// Repetition: CTRL (Keskar et al. 2019), with the sign taken care of: a positive logit is divided
// by the penalty, a negative one multiplied. Frequency and presence: OpenAI's API reference: the
// logit loses `frequency` for every occurrence and `presence` once. Occurrences are counted as
// tokens come and go, so that a step costs the distinct tokens in the window and not its length.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <unordered_map>

#include "engine/request/request.h"

namespace premise {

class Penalties {
 public:
  explicit Penalties(const SamplingParams& params);

  /// The text grew by one token. Nothing is kept where no penalty is in force.
  void remember(TokenId token);

  /// Tokens outside the row are ignored.
  void apply(std::span<float> logits) const;

 private:
  float repetition_, frequency_, presence_;
  std::size_t window_;  // 0: everything
  bool in_force_;
  std::unordered_map<TokenId, std::size_t> counts_;  // within the window, never 0
  std::deque<TokenId> recent_;                       // the window, oldest first; empty for 0
};

}  // namespace premise
