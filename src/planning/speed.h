// Tokens a second, from what has to be read and computed for one. docs/sizing.md derives it.
//
//   decode    a step reads every weight once and each request's keys and values once:
//             bytes / (bandwidth · decode efficiency), or the step's operations
//   prefill   2 operations a weight and token, and those of attention:
//             operations / (rate · prefill efficiency)
//
// The longer of reading and computing counts: a card's memory pipeline runs ahead, and the kernels
// of a CPU prefetch while they compute.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "planning/memory_need.h"

namespace premise {

struct Speed {
  double prefill_tokens_per_second = 0;  // one prompt of `prompt_tokens`
  double decode_tokens_per_second = 0;   // of all requests together
  double decode_per_request = 0;
  double first_token_seconds = 0;  // of such a prompt on an idle machine
  std::uint64_t prompt_tokens = 0;
  std::uint64_t cached_tokens = 0;  // of each request while decoding
};

/// Prompts of at most 512 tokens, decoding with half the context in the cache, unless told.
Result<Speed> predict_speed(const SizedModel& model, const Workload& work, const Capacity& machine);
Result<Speed> predict_speed(const SizedModel& model, const Workload& work, const Capacity& machine,
                            std::uint64_t prompt_tokens, std::uint64_t cached_tokens);

}  // namespace premise
