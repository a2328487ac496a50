// Logit bias: what a request adds to single logits.
//
// A finite bias is added. Minus infinity forbids a token. Plus infinity is read as the limit of
// ever larger biases: the tokens that have it are the only ones left, and the model decides between
// them by its own logits. What is forbidden (by the bias or by the model) stays so.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "engine/request/request.h"

namespace premise {

class LogitBias {
 public:
  /// Biases of one token add up; -infinity and +infinity together forbid. No bias is NaN.
  explicit LogitBias(std::span<const std::pair<TokenId, float>> biases);

  /// Tokens outside the row are ignored.
  void apply(std::span<float> logits);

 private:
  void leave_only_certain(std::span<float> logits);

  std::vector<std::pair<TokenId, float>> added_;  // finite or -infinity
  std::vector<TokenId> certain_;                  // those of +infinity
  std::vector<float> kept_;                       // scratch: their logits
};

}  // namespace premise
