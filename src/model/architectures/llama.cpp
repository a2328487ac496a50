// Llama 1 to 3.x, and what GGUF files give the same name: Mistral, Yi, DeepSeek-R1 distills. The
// converter to GGUF permutes query and key rows, so that rotary pairs lie side by side.
#include "model/architectures/pre_norm.h"

namespace premise {
namespace {

Result<Plan> plan_llama(const ArchitectureInput& input) {
  return plan_pre_norm(input, {.prefix = "llama",
                               .pairing = RopeTable::Pairing::adjacent,
                               .head_norms = false,
                               .rope_factors = true});
}

}  // namespace

extern const Architecture llama;
const Architecture llama{"llama", &plan_llama};

}  // namespace premise
