#include "engine/sampling/penalties.h"

namespace premise {

Penalties::Penalties(const SamplingParams& params)
    : repetition_(params.repetition_penalty),
      frequency_(params.frequency_penalty),
      presence_(params.presence_penalty),
      window_(params.penalty_window),
      in_force_(repetition_ != 1.0f || frequency_ != 0.0f || presence_ != 0.0f) {}

void Penalties::remember(TokenId token) {
  if (!in_force_) return;
  ++counts_[token];
  if (window_ == 0) return;
  recent_.push_back(token);
  if (recent_.size() <= window_) return;
  const auto oldest = counts_.find(recent_.front());
  recent_.pop_front();
  if (--oldest->second == 0) counts_.erase(oldest);
}

void Penalties::apply(std::span<float> logits) const {
  for (const auto& [token, count] : counts_) {
    const auto index = static_cast<std::size_t>(token);  // huge for a negative token
    if (index >= logits.size()) continue;
    float& logit = logits[index];
    logit = logit > 0.0f ? logit / repetition_ : logit * repetition_;
    logit -= frequency_ * static_cast<float>(count) + presence_;
  }
}

}  // namespace premise
