// Gemma 2: every other layer looks back over a window, attention scores and logits are soft-capped.
#include "model/architectures/sandwich.h"

namespace premise {
namespace {

Result<Plan> plan_gemma2(const ArchitectureInput& input) {
  return plan_sandwich(input, {.prefix = "gemma2",
                               .window_default = 4096,
                               .full_every = 2,
                               .wide_scale_layers = 46,
                               .head_norms = false,
                               .window_rope_base = 0.0});
}

}  // namespace

extern const Architecture gemma2;
const Architecture gemma2{"gemma2", &plan_gemma2};

}  // namespace premise
