#include "engine/sampling/logprobs.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/sampling/distribution.h"

namespace premise {

double log_sum_exp(std::span<const float> logits) {
  const float most = peak(logits).logit;
  if (std::isinf(most)) return static_cast<double>(most);
  const Distribution distribution = Distribution::make(logits, most, 1.0f);
  return static_cast<double>(most) + std::log(total_weight(distribution, nullptr));
}

std::vector<TokenLogprob> top_logprobs(std::span<const float> logits, std::size_t count) {
  return count == 0 ? std::vector<TokenLogprob>{}
                    : top_logprobs(logits, log_sum_exp(logits), count);
}

std::vector<TokenLogprob> top_logprobs(std::span<const float> logits, double normalizer,
                                       std::size_t count) {
  if (count == 0 || std::isinf(normalizer)) return {};
  std::vector<ScoredToken> top = largest_logits(logits, count);
  std::ranges::sort(top, likelier);
  std::vector<TokenLogprob> logprobs;
  logprobs.reserve(top.size());
  for (const ScoredToken& scored : top)
    logprobs.push_back(
        {scored.token, static_cast<float>(static_cast<double>(scored.logit) - normalizer)});
  return logprobs;
}

}  // namespace premise
