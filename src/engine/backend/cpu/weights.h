// The weights of a plan as the CPU kernels want them: matrices packed, vectors decoded.
//
// Packing streams: a few megabytes of the file at a time, whose pages are given back at once, so
// that resident memory never holds two copies of the model. A matrix that several operations use
// (a tied embedding) is packed once.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "engine/packed_cache/packed_cache.h"
#include "model/formats/tensor_source.h"
#include "model/plan/plan.h"
#include "numerics/device/memory.h"
#include "numerics/device/thread_team.h"
#include "numerics/kernels/matmul.h"

namespace premise {

class CpuWeights {
 public:
  /// With a cache, matrices are read from it where it has them, and written to it (beside the
  /// computing) where not; what is wrong with it is said through its notice and never fails a load.
  static Result<CpuWeights> load(const Plan& plan, const TensorSource& source, ThreadTeam& team,
                                 const PackedCacheOptions* cache = nullptr);

  /// A weight that a linear or embed operation uses.
  const PackedMatrix& matrix(WeightId id) const { return matrices_[static_cast<std::size_t>(id)]; }
  /// A weight that a norm uses, or a bias.
  const float* vector(WeightId id) const { return vectors_[static_cast<std::size_t>(id)].data(); }

  std::uint64_t bytes() const { return memory_.bytes(); }

 private:
  Result<PackedHeader> lay_out(const Plan& plan, const TensorSource& source);
  Status fill(const Plan& plan, const TensorSource& source, ThreadTeam& team,
              const PackedCacheOptions* cache, PackedHeader header);

  AlignedBuffer memory_;
  std::vector<PackedMatrix> matrices_;       // by WeightId; data is null for vectors
  std::vector<std::vector<float>> vectors_;  // by WeightId; empty for matrices
  std::unique_ptr<PackedWriter> writer_;     // reads memory_: ends before it
};

}  // namespace premise
