// After a benchmark: what `premise plan` would have said, beside what was measured.
#pragma once

#include <cstdint>

#include "bench/engine_speed.h"
#include "cli/console.h"
#include "cli/model_options.h"

namespace premise {

/// Predicts the runs of a benchmark, stores both figures under $PREMISE_HOME and says them in a
/// line. What goes wrong is a warning: the benchmark itself has succeeded. `peak_bytes` is the peak
/// of resident memory, 0 where it is not known.
void record_prediction(Console& console, const ModelOptions& options,
                       const EngineBenchOptions& bench, const EngineBenchResult& result,
                       const LoadedModel& loaded, std::uint64_t peak_bytes);

}  // namespace premise
