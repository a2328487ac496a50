#include "engine/sampling/logit_bias.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "engine/sampling/special_floats.h"

namespace premise {
LogitBias::LogitBias(std::span<const std::pair<TokenId, float>> biases) {
  std::map<TokenId, float> sums;
  for (const auto& [token, bias] : biases) sums[token] += bias;
  for (const auto& [token, sum] : sums) {
    if (sum == infinity) {
      certain_.push_back(token);
    } else {
      added_.emplace_back(token, std::isnan(sum) ? -infinity : sum);
    }
  }
}

void LogitBias::apply(std::span<float> logits) {
  for (const auto& [token, bias] : added_) {
    const auto index = static_cast<std::size_t>(token);  // huge for a negative token
    if (index < logits.size()) logits[index] += bias;
  }
  if (!certain_.empty()) leave_only_certain(logits);
}

void LogitBias::leave_only_certain(std::span<float> logits) {
  kept_.clear();
  for (const TokenId token : certain_) {
    const auto index = static_cast<std::size_t>(token);
    kept_.push_back(index < logits.size() ? logits[index] : -infinity);
  }
  std::ranges::fill(logits, -infinity);
  for (std::size_t i = 0; i < certain_.size(); ++i) {
    const auto index = static_cast<std::size_t>(certain_[i]);
    if (index < logits.size()) logits[index] = kept_[i];
  }
}

}  // namespace premise
