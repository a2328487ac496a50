// Gemma 3 (text): five layers with a window for each with full attention, a rotary base of its own
// for the window layers (10,000, never scaled), norms over query and key heads instead of caps.
#include "model/architectures/sandwich.h"

namespace premise {
namespace {

Result<Plan> plan_gemma3(const ArchitectureInput& input) {
  return plan_sandwich(input, {.prefix = "gemma3",
                               .window_default = 0,
                               .full_every = 6,
                               .wide_scale_layers = 62,
                               .head_norms = true,
                               .window_rope_base = 10000.0});
}

}  // namespace

extern const Architecture gemma3;
const Architecture gemma3{"gemma3", &plan_gemma3};

}  // namespace premise
