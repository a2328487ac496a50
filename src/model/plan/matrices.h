// Which weights of a plan are matrices.
#pragma once

#include <vector>

#include "model/plan/plan.h"

namespace premise {

/// Weights that take part in multiplications or look-ups, by WeightId; the others are vectors.
std::vector<bool> matrices_of(const Plan& plan);

}  // namespace premise
