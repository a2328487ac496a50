// What this machine can hold and do: limits read, rates measured in well under a second.
#pragma once

#include "base/result.h"
#include "numerics/device/isa.h"
#include "planning/capacity.h"

namespace premise {

/// Reads the limits, and measures with `threads` threads (0: one for each physical core) the
/// reading of memory and the multiplication kernels of `isa`. Where there is too little memory to
/// measure with, or no kernel, rates are assumed, and say so.
Result<Capacity> measure_this_machine(int threads, Isa isa);

}  // namespace premise
