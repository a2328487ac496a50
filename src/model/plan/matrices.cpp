#include "model/plan/matrices.h"

#include <variant>

namespace premise {

std::vector<bool> matrices_of(const Plan& plan) {
  std::vector<bool> is_matrix(plan.weights.size(), false);
  for (const Op& op : plan.ops) {
    if (const auto* linear = std::get_if<LinearOp>(&op.body))
      is_matrix[static_cast<std::size_t>(linear->weight)] = true;
    if (const auto* embed = std::get_if<EmbedOp>(&op.body))
      is_matrix[static_cast<std::size_t>(embed->table)] = true;
  }
  return is_matrix;
}

}  // namespace premise
