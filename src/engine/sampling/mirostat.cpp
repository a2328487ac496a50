#include "engine/sampling/mirostat.h"

#include <cmath>
#include <numbers>

namespace premise {

Mirostat::Mirostat(const SamplingParams& params)
    : tau_(static_cast<double>(params.mirostat_tau)),
      eta_(static_cast<double>(params.mirostat_eta)),
      mu_(2.0 * tau_) {}

TokenId Mirostat::draw(const Distribution& distribution, std::size_t likeliest, double uniform,
                       Candidates& candidates) {
  // surprise = log2(total) - scaled / ln 2, so surprise <= mu means scaled >= least.
  const double log2_total = std::log2(total_weight(distribution, nullptr));
  const double least = (log2_total - mu_) * std::numbers::ln2;
  gather(distribution, static_cast<float>(least), 0.0f, candidates);
  const TokenId token =
      candidates.empty() ? static_cast<TokenId>(likeliest) : draw_from(candidates, uniform);
  const auto scaled = static_cast<double>(distribution.scaled(static_cast<std::size_t>(token)));
  mu_ -= eta_ * (log2_total - scaled / std::numbers::ln2 - tau_);
  return token;
}

}  // namespace premise
