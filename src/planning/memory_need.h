// Bytes that serving a model takes, from the plan up. docs/sizing.md has the derivation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.h"
#include "model/plan/plan.h"
#include "numerics/kernels/step_tokens.h"
#include "numerics/tensor/dtype.h"
#include "planning/capacity.h"
#include "planning/sized_model.h"

namespace premise {

struct Workload {
  std::uint64_t context = 0;            // tokens of a request, prompt and answer
  std::uint64_t concurrency = 1;        // requests at the same time
  DType cache = DType::f16;             // of keys and values
  std::uint64_t tokens_per_step = usual_step_tokens(Isa::avx512);
};

struct MemoryNeed {
  std::uint64_t weights = 0;     // as they lie in memory: packed panels, or the file's blocks
  std::uint64_t cache = 0;       // keys and values of all requests at their full context
  std::uint64_t activation = 0;  // values of a step, logits, quantized inputs, scratch
  std::uint64_t process = 0;     // program, libraries, vocabulary; on a card the driver's context
  std::uint64_t total = 0;
};

/// Packed by the engine for a CPU; as the file has them on a card. Errors: a type that the engine
/// does not compute with (bad_input, CPUs), sizes beyond 2^60 bytes (usage).
Result<MemoryNeed> memory_need(const SizedModel& model, const Workload& work,
                               const Capacity& machine);

/// Bytes of a weight in memory.
Result<std::uint64_t> weight_bytes(const Weight& weight, DType type, bool is_matrix,
                                   const Capacity& machine);

/// Positions of a request that a group keeps: whole blocks, and for a window what steps need.
std::uint64_t cached_positions(const CacheGroup& group, const Workload& work);

/// Of a cache made for `reserved`, the bytes that come into memory while `run` is served. A layer's
/// keys lie in one region and its values in another; the system gives pages of 2 MiB, so that up to
/// one more is touched in each than what is written.
std::uint64_t touched_cache_bytes(const Plan& plan, const Workload& reserved, const Workload& run);

/// Bytes of one position in all layers of a group, keys and values.
std::uint64_t position_bytes(const CacheGroup& group, DType type);

/// The largest sum, over the operations of a step, of the values alive at the same time: F32 rows
/// padded to cache lines.
std::uint64_t live_bytes(const Plan& plan, std::uint64_t tokens, std::uint64_t logits_rows);

}  // namespace premise
