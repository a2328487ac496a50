// From logits to the next token.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/request/request.h"
#include "engine/sampling/distribution.h"
#include "engine/sampling/dry.h"
#include "engine/sampling/logit_bias.h"
#include "engine/sampling/mirostat.h"
#include "engine/sampling/penalties.h"
#include "engine/sampling/random.h"

namespace premise {

/// The drawing of one request's tokens: owns its random state and what penalties need to know of
/// the text so far. One thread at a time.
class Sampler {
 public:
  /// `params` passed check(). Penalties look at the prompt too.
  Sampler(const SamplingParams& params, std::span<const TokenId> prompt);

  /// Draws the next token and remembers it. `logits` [vocabulary] may be changed. NaN and plus
  /// infinity count as minus infinity; where nothing finite is left the result is -1.
  /// Temperature 0 takes the likeliest token, the smallest of equal ones; under Mirostat, which
  /// needs something to choose from, it counts as 1.
  TokenId draw(std::span<float> logits);

  /// Whether draw() would take the largest logit as it is: then it needs no more of the row.
  bool takes_peak() const { return takes_peak_; }
  /// draw(), for who knows the peak; infinite logits are none (LogitsView::peaks).
  TokenId take(const Peak& peak);

 private:
  TokenId choose(std::span<const float> logits, const Peak& likeliest);
  void remember(TokenId token);

  SamplingParams params_;
  bool takes_peak_;
  LogitBias bias_;
  Penalties penalties_;
  Dry dry_;
  Mirostat mirostat_;
  Random random_;
  Candidates candidates_;              // scratch
  std::vector<double> block_weights_;  // scratch
};

}  // namespace premise
