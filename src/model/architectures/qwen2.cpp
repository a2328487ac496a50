// Qwen2 and Qwen2.5: the pre-norm decoder with biases on query, key and value.
#include "model/architectures/pre_norm.h"

namespace premise {
namespace {

Result<Plan> plan_qwen2(const ArchitectureInput& input) {
  return plan_pre_norm(input, {.prefix = "qwen2", .pairing = RopeTable::Pairing::half});
}

}  // namespace

extern const Architecture qwen2;
const Architecture qwen2{"qwen2", &plan_qwen2};

}  // namespace premise
