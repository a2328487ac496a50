// How fast the kernels multiply matrices: the roof of reading prompts, by instruction set.
#pragma once

#include <functional>
#include <vector>

#include "base/result.h"
#include "machine/measure/measured.h"

namespace premise {

struct Throughput {
  std::vector<IsaRate> int8_ops;    // Q8_0 weights; int16 activations, bf16 on AMX
  std::vector<IsaRate> bf16_flops;  // BF16 weights
};

/// Multiplies with the kernels that the engine uses, each for about `seconds`, on every instruction
/// set that this machine offers. The matrices stay in the caches: arithmetic is measured, not
/// memory. `stop` is asked between two kernels.
Result<Throughput> measure_throughput(int threads, double seconds,
                                      const std::function<bool()>& stop);

}  // namespace premise
