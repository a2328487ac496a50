// Everything that is measured of this machine, within fifteen seconds.
#pragma once

#include <filesystem>
#include <functional>

#include "machine/measure/measured.h"
#include "machine/source.h"

namespace premise {

struct MeasureHooks {
  std::function<void(int done, int total)> progress;
  std::function<bool()> stop;  // true: the rest is left out
};

/// Uses `threads` threads. What cannot be measured is absent from the result.
Measured measure_machine(MachineSource& machine, int threads, const MeasureHooks& hooks);

}  // namespace premise
