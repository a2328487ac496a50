// Weights by the gigabyte: blocks of a type, drawn from a pool of real ones.
//
// The pool is a million normal numbers, quantized by the encoder that quantizes models, so that
// scales, minimums and codes are those that weights of this spread have. A matrix is blocks drawn
// from it at random: as fast as memory, where encoding every weight of a model of 7b would take an
// hour. Rejected: random bits with a scale set by hand, whose codes are uniform where those of
// weights are bell-shaped, and which need knowledge of twenty formats.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/result.h"
#include "numerics/tensor/dtype.h"
#include "synth/split_mix.h"

namespace premise {

class WeightPool {
 public:
  /// A pool of a type that is computed with, of normal numbers of this standard deviation.
  static Result<WeightPool> create(DType dtype, float deviation, SplitMix64& random);

  /// Fills `out` with blocks; it is whole blocks long.
  void draw(std::span<std::byte> out, SplitMix64& random) const;

 private:
  std::vector<std::byte> bytes_;
  std::size_t run_bytes_ = 0;  // drawn together: a block, or 32 numbers of a plain type
};

}  // namespace premise
