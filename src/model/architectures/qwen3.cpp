// Qwen3: the pre-norm decoder with a norm over each query and key head, and no biases.
#include "model/architectures/pre_norm.h"

namespace premise {
namespace {

Result<Plan> plan_qwen3(const ArchitectureInput& input) {
  return plan_pre_norm(input, {.prefix = "qwen3", .head_norms = true});
}

}  // namespace

extern const Architecture qwen3;
const Architecture qwen3{"qwen3", &plan_qwen3};

}  // namespace premise
