// The likeliest token of a row without its logits: greedy text needs no more, and the output head
// is the widest matrix of a model.
//
// Three passes with a barrier after each, every thread in each: the upper bytes of the activations;
// bounds of all products, block by block of the head; exact products of the blocks whose bound
// reaches the largest lower bound. The result is what a row of exact logits would show, bit for bit
// (numerics/kernels/contracts/peak.h says why), and no row of logits is written.
//
// Up to few_rows rows wait for the memory of the head whatever is computed from it: they take exact
// products at once. On Zen 4, two threads, a head of [262144, 640] in 8 bits, ms a pass:
//
//   rows                1     4     6     8    16    32
//   exact products    5.5   5.9   8.5  10.9  23.4  38.6
//   bounds            5.8   7.6   8.0   8.1  12.2  19.6
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "engine/sampling/distribution.h"
#include "numerics/device/isa.h"
#include "numerics/device/memory.h"
#include "numerics/device/thread_team.h"
#include "numerics/kernels/matmul.h"
#include "numerics/kernels/peak.h"

namespace premise {

class PeakSearch {
 public:
  static constexpr std::size_t few_rows = 4;

  /// Null where `isa` has no kernel for the head, or a norm of one of its rows is not finite. The
  /// head stays where it is; so does the team, all of whose threads call the passes.
  static Result<std::unique_ptr<PeakSearch>> create(const PackedMatrix& head, Isa isa,
                                                    std::size_t rows_max, ThreadTeam& team);

  /// By one thread, before the passes: `count` rows of `in` from `first` on.
  void begin(const QuantizedRows& in, std::size_t first, std::size_t count);

  /// `scratch`: as much as the head's own kernel wants.
  void coarsen(int thread);
  void bound(int thread, void* scratch);
  void settle(int thread, void* scratch);

  /// By one thread, after the passes. Valid until begin().
  std::span<const Peak> collect();

  const char* kernel_name() const { return kernel_->name; }
  std::uint64_t bytes() const { return coarse_memory_.bytes() + bounds_memory_.bytes(); }

 private:
  // What one thread found of each row.
  struct Found {
    std::vector<float> lower;
    std::vector<Peak> peaks;
  };

  PeakSearch(const PackedMatrix& head, const PeakKernel& kernel, const MatmulKernel& exact,
             ThreadTeam& team)
      : head_(head), kernel_(&kernel), exact_(exact), team_(team) {}
  Status allocate(std::size_t rows_max);
  bool measure_norms();
  bool few() const { return count_ <= few_rows; }
  void multiply(std::uint64_t first_panel, std::uint64_t panels, std::size_t first_row,
                std::size_t rows, void* scratch, std::span<Peak> best) const;

  PackedMatrix head_;
  const PeakKernel* kernel_;
  const MatmulKernel& exact_;
  ThreadTeam& team_;
  std::uint64_t blocks_ = 0;
  float largest_norm_ = 0.0f;

  AlignedBuffer coarse_memory_;
  AlignedBuffer bounds_memory_;
  CoarseRows coarse_{};
  float* norms_ = nullptr;       // [rows of the head]
  float* upper_ = nullptr;       // [rows][blocks]
  std::vector<char> unbounded_;  // by row: every block is computed
  std::vector<Found> found_;     // by thread
  std::vector<Peak> peaks_;
  WorkCounter counter_;  // deals out blocks

  QuantizedRows in_{};
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

}  // namespace premise
