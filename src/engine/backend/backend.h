// What computes a plan: the seam between the engine and a device.
//
// A backend compiles a plan once (an operation or type that it lacks fails here, by name) into an
// Executable, which holds the weights in the device's own layout, the KV cache and the working
// memory. A step is launch, then collect; the engine thread alone calls them, in that order.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/backend/batch_view.h"
#include "engine/packed_cache/packed_cache.h"
#include "engine/sampling/distribution.h"
#include "model/formats/tensor_source.h"
#include "model/plan/plan.h"
#include "numerics/device/isa.h"
#include "numerics/device/thread_team.h"
#include "numerics/kernels/matmul.h"
#include "numerics/tensor/dtype.h"

namespace premise {

/// Positions in a block of the KV cache, in every group.
inline constexpr std::int32_t kv_block_tokens = 32;

/// Element types that a KV cache can have.
inline constexpr DType all_kv_types[] = {DType::f16, DType::f32, DType::q8_0};

/// Those that the backend for an instruction set has, its default first.
std::span<const DType> kv_types(Isa isa);

/// Whether the heads of a plan's cache divide into the blocks of a type: Q8_0 rounds 32
/// neighbouring numbers of one head together. Errors: they do not (usage); `model` is named.
Status check_kv_type(const Plan& plan, DType kv_type, std::string_view model);

/// The most that one step will carry, and the cache.
struct BatchLimits {
  std::size_t tokens = 512;
  std::size_t sequences = 1;
  std::size_t logits_rows = 1;
  std::vector<std::size_t> blocks;                       // physical blocks by cache group
  DType kv_type = DType::f32;                            // one of kv_types()
  ActivationBits activations = ActivationBits::sixteen;  // the reference rounds none
};

/// How one operation is computed, for `inspect --plan` and the benchmarks.
struct OpReport {
  std::int32_t layer;
  std::string op;      // "linear"
  std::string weight;  // "blk.0.attn_q.weight", or empty
  std::string type;    // of the weight: "q5_0", or empty
  std::string kernel;  // "matmul.p4.avx512"
  std::uint64_t weight_bytes;

  // Of products with a matrix alone:
  std::string layout = {};               // "p4"; empty where the file's blocks are read
  std::string tile_kernel = {};          // in steps of takes_tiles() tokens; empty where none is
  std::optional<ProductPath> path = {};  // nothing in other operations
  bool fast = false;                     // the path is fast_path() of the instruction set
  std::uint64_t products = 0;            // multiplications a row of activations
};

/// Seconds that steps have spent so far in one kernel (or kind of operation).
struct KernelTime {
  std::string kernel;
  double seconds;
};

/// The logits of a step, by row of BatchView::logits_rows; the caller may change them.
struct LogitsView {
  float* data = nullptr;
  std::size_t rows = 0;    // whole ones
  std::size_t stride = 0;  // floats between rows
  std::size_t width = 0;   // the vocabulary

  std::span<const Peak> peaks;  // of the rows behind those. An infinite logit counts as none, like
                                // NaN; where no other is there, {-infinity, 0}

  std::span<float> row(std::size_t index) const { return {data + index * stride, width}; }
  const Peak& peak(std::size_t index) const { return peaks[index - rows]; }
};

/// A launched step; given back to collect().
struct StepHandle {
  std::uint64_t step;
};

class Executable {
 public:
  virtual ~Executable() = default;

  /// Starts a step. The batch is within the limits and names only blocks that exist.
  virtual StepHandle launch(const BatchView& batch) = 0;

  /// Waits for the step; the logits are valid until the next launch.
  virtual LogitsView collect(StepHandle handle) = 0;

  /// Whether a batch may have peak_rows. They are exact: what the whole row of logits would show.
  virtual bool finds_peaks() const { return false; }

  /// The plan as it is computed: what an architecture described, perhaps in another order.
  virtual const Plan& plan() const = 0;
  /// Of each operation of plan().
  virtual std::vector<OpReport> report() const = 0;
  virtual std::vector<KernelTime> times() const = 0;
  virtual std::uint64_t weight_bytes() const = 0;
  virtual std::uint64_t cache_bytes() const = 0;
  virtual std::uint64_t workspace_bytes() const = 0;
};

/// Bytes of the keys, or of the values, of one KV head in one physical block.
std::uint64_t kv_head_bytes(const CacheGroup& group, DType kv_type);

/// Bytes of one physical block of a group, over all its layers, keys and values.
std::uint64_t kv_block_bytes(const CacheGroup& group, DType kv_type);

/// The plain interpreter: F32 weights decoded from the file as they are needed, F32 activations and
/// cache, one op after the other. Slow, and the oracle of every other backend.
Result<std::unique_ptr<Executable>> compile_reference(const Plan& plan, const TensorSource& source,
                                                      ThreadTeam& team, const BatchLimits& limits);

/// The CPU backend for AVX2, AVX-512 or AMX: packed weights, quantized activations, a cache of one
/// of kv_types(isa).
Result<std::unique_ptr<Executable>> compile_cpu(const Plan& plan, const TensorSource& source,
                                                ThreadTeam& team, Isa isa,
                                                const BatchLimits& limits,
                                                const PackedCacheOptions* cache = nullptr);

}  // namespace premise
