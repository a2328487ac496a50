// The CUDA architectures that this Premise was built for ("sm_80", "compute_90", …): empty in a
// build without CUDA. Compared with the cards before a kernel is started on them.
#pragma once

#include <string>
#include <vector>

namespace premise {

std::vector<std::string> engine_cuda_architectures();

}  // namespace premise
