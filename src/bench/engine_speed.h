// How fast an engine is on this machine: reading prompts, and generating for batches of sequences.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"

namespace premise {

struct EngineBenchOptions {
  std::vector<std::size_t> prompts{512};  // tokens read, each measured alone
  std::size_t generated = 64;             // tokens a sequence generates
  std::vector<std::size_t> batches{1};    // sequences that generate side by side
  std::size_t repetitions = 3;            // after one that warms up
};

/// Tokens a second over the repetitions: the median, the slowest and the fastest.
struct Rate {
  double median = 0.0;
  double least = 0.0;
  double most = 0.0;
};

struct PrefillResult {
  std::size_t tokens;
  Rate rate;
};

struct DecodeResult {
  std::size_t batch;
  Rate rate;  // of all sequences together
};

struct KernelShare {
  std::string kernel;
  double share;  // of the time of all steps
};

struct EngineBenchResult {
  std::vector<PrefillResult> prefill;
  std::vector<DecodeResult> decode;
  std::vector<KernelShare> kernels;  // in falling order
};

/// What the engine must be made for.
EngineOptions engine_options_for(const EngineBenchOptions& options);

/// Measures on an idle engine. `progress` is called with runs done and runs in all; an Error from
/// it ends the measuring.
Result<EngineBenchResult> bench_engine(
    Engine& engine, const EngineBenchOptions& options,
    const std::function<Status(std::size_t done, std::size_t total)>& progress);

}  // namespace premise
