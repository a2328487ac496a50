// Mirostat 2: holds the surprise of the text near a target.
//
// Basu et al. 2021, "Mirostat: A neural text decoding algorithm that directly controls perplexity",
// algorithm 2. Tokens whose surprise -log2 p exceeds mu are left out (never the likeliest); after
// each draw mu moves against the error by the learning rate. mu begins at twice the target. As in
// the paper and its authors' code the observed surprise is that of the whole distribution, which is
// what the reader of the text meets, and not that of the truncated one.
#pragma once

#include "engine/request/request.h"
#include "engine/sampling/distribution.h"

namespace premise {

class Mirostat {
 public:
  explicit Mirostat(const SamplingParams& params);

  /// `uniform` in [0, 1); `likeliest` is the token at the peak; `candidates` is scratch space.
  TokenId draw(const Distribution& distribution, std::size_t likeliest, double uniform,
               Candidates& candidates);

 private:
  double tau_, eta_, mu_;  // bits
};

}  // namespace premise
