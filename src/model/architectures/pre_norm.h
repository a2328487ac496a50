// The plain pre-norm decoder: x + attention(norm(x)), then x + feed_forward(norm(x)). Llama, Qwen2
// and Qwen3 are this with other options.
#pragma once

#include "model/architectures/decoder.h"

namespace premise {

struct PreNormOptions {
  std::string_view prefix;
  RopeTable::Pairing pairing = RopeTable::Pairing::half;
  bool head_norms = false;    // attn_q_norm and attn_k_norm before the rotation
  bool rope_factors = false;  // rope_freqs.weight may hold a factor per frequency (Llama 3)
};

Result<Plan> plan_pre_norm(const ArchitectureInput& input, const PreNormOptions& options);

}  // namespace premise
