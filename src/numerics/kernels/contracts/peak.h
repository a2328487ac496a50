// Which panels of a packed matrix can hold the largest product of a row, found with half the work.
//
// Greedy text needs one number of a row of logits, its largest, and the output head is the widest
// matrix of a model. A product with the upper bytes of the activations takes half the instructions
// of the exact one (vpdpbusd instead of vpdpwssd) and is off by no more than a bound that is known
// for every row of W. Panels whose bound cannot reach the largest are done; the exact kernel
// computes the few others, so that the token found is the one that all exact logits would give.
//
// With q = 256·h + l the codes of x (QuantizedRows), S and a the scales of contracts/matmul.h:
//   exact   y = Σ over groups of S·a·(w·q)
//   coarse  s = Σ over groups of S·256a·(w·h)
//   |y − s| ≤ Σ |S·a·(w·l)| ≤ N·R       N = ‖row of W‖, R² = Σ a²·Σ l²  (Cauchy–Schwarz)
// Both are rounded at most 4 times a group, each time by 2^-24 of a partial sum ≤ N·X, X = ‖x‖:
//   |y − s| ≤ N·slack,  slack = R + X·(groups + 8)·2^-21
//
// Rejected: the largest of coarse products alone (a wrong token now and then); a bound from the
// largest |w| of a row (ten times as wide, thousands of panels left); fewer bits of W, which wants
// a second copy of the head.
#pragma once

#include "numerics/kernels/contracts/matmul.h"

namespace premise {

/// Panels that share one upper bound.
inline constexpr std::uint32_t peak_block_panels = 4;

/// Rows of upper bytes, as coarsen() makes them.
struct CoarseRows {
  std::int8_t* codes;          // [row][code_stride]: h, in the order of columns; 64-byte aligned
  float* scales;               // [row][group_stride]: 256a
  std::int32_t* minus_sums32;  // [row][group_stride]: −Σ h over the group
  std::int32_t* minus_sums16;  // [row][2 · group_stride]: −Σ h over each half of the group
  float* slack;                // [row]; infinite or NaN where the row cannot be bounded
  std::size_t code_stride;     // elements
  std::size_t group_stride;    // elements
};

struct PeakKernel {
  const char* name;  // "peak.p8.avx512"

  /// norms[r] ≥ N for the rows of panels [panel_begin, panel_end); rows beyond W's last get 0.
  void (*norms)(const PackedMatrix& weights, std::uint64_t panel_begin, std::uint64_t panel_end,
                float* norms);

  /// For blocks [block_begin, block_end) of panels and i < row_count:
  ///   upper[i * upper_stride + block]   the largest s + N·slack of the block's rows
  ///   lower[i]                          raised to the largest s − N·slack
  /// `norms` is what the function above wrote for the whole matrix; all slack is finite. Calls on
  /// disjoint blocks with a `lower` of their own may run at once.
  void (*bound)(const PackedMatrix& weights, const float* norms, std::uint64_t block_begin,
                std::uint64_t block_end, const CoarseRows& x, std::size_t row_count, float* upper,
                std::size_t upper_stride, float* lower);
};

}  // namespace premise
