// The order of the steps is that of SamplingParams' fields: bias, penalties, DRY, temperature, then
// Mirostat or the filters, then the draw. Every draw takes one random number, so that the sequence
// of tokens depends on the seed and the logits alone.
#include "engine/sampling/sampler.h"

#include <algorithm>
#include <limits>

#include "engine/sampling/filters.h"
#include "engine/sampling/special_floats.h"

namespace premise {
namespace {

// Nothing changes the logits, and nothing but the largest counts.
bool only_peak_counts(const SamplingParams& p) {
  return p.temperature <= 0.0f && !p.mirostat && p.logit_bias.empty() &&
         p.repetition_penalty == 1.0f && p.frequency_penalty == 0.0f &&
         p.presence_penalty == 0.0f && p.dry_multiplier == 0.0f;
}

}  // namespace

Sampler::Sampler(const SamplingParams& params, std::span<const TokenId> prompt)
    : params_(params),
      takes_peak_(only_peak_counts(params)),
      bias_(params.logit_bias),
      penalties_(params),
      dry_(params),
      mirostat_(params),
      random_(params.seed) {
  for (const TokenId token : prompt) remember(token);
}

TokenId Sampler::draw(std::span<float> logits) {
  bias_.apply(logits);
  penalties_.apply(logits);
  dry_.apply(logits);
  const Peak likeliest = finite_peak(logits);
  if (likeliest.logit == -infinity) return -1;
  const TokenId token = choose(logits, likeliest);
  remember(token);
  return token;
}

TokenId Sampler::take(const Peak& peak) {
  if (peak.logit == -infinity) return -1;
  const auto token = static_cast<TokenId>(peak.token);
  remember(token);
  return token;
}

TokenId Sampler::choose(std::span<const float> logits, const Peak& likeliest) {
  const bool cold = params_.temperature <= 0.0f;
  if (cold && !params_.mirostat) return static_cast<TokenId>(likeliest.token);
  const auto distribution =
      Distribution::make(logits, likeliest.logit, cold ? 1.0f : params_.temperature);
  const double uniform = random_.uniform();
  if (params_.mirostat) return mirostat_.draw(distribution, likeliest.token, uniform, candidates_);
  if (filters_keep_all(params_)) return draw_from(distribution, uniform, block_weights_);
  filter(params_, distribution, candidates_);
  return draw_from(candidates_, uniform);
}

void Sampler::remember(TokenId token) {
  penalties_.remember(token);
  dry_.remember(token);
}

}  // namespace premise
