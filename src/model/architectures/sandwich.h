// The decoder of Gemma 2 and 3: a norm before and one after each branch ("sandwich"), embeddings
// scaled by sqrt(hidden), tanh-gelu gates, layers of sliding-window attention between layers of
// full attention. Source: gemma_pytorch and transformers, whose norms multiply by 1 + weight; GGUF
// files store that sum.
#pragma once

#include "model/architectures/decoder.h"

namespace premise {

struct SandwichOptions {
  std::string_view prefix;
  std::uint64_t window_default = 0;     // where the file names no window
  std::uint64_t full_every = 1;         // each n-th layer has full attention, the others a window
  std::uint32_t wide_scale_layers = 0;  // the size with this many layers (27B) scales queries by
                                        // hidden / heads instead of head_dim
  bool head_norms = false;              // norms over query and key heads
  double window_rope_base = 0.0;  // rotary base of the window layers; 0: that of the full layers
};

Result<Plan> plan_sandwich(const ArchitectureInput& input, const SandwichOptions& options);

}  // namespace premise
