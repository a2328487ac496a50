// From logits to the next token.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/request/request.h"

namespace premise {

/// The drawing of one request's tokens: owns its random state and what penalties need to know of
/// the text so far. One thread at a time.
class Sampler {
 public:
  /// `params` passed check(). Penalties look at the prompt too.
  Sampler(const SamplingParams& params, std::span<const TokenId> prompt);

  /// Draws the next token and remembers it. `logits` [vocabulary] may be changed. NaN counts as
  /// minus infinity; where nothing finite is left the result is -1.
  TokenId draw(std::span<float> logits);
};

}  // namespace premise
