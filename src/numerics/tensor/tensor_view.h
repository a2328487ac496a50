// A read-only look at a tensor that somebody else owns.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>

#include "numerics/tensor/dtype.h"

namespace premise {

/// Up to four dimensions, outermost first (row-major): a matrix is [rows, columns], and `columns`
/// elements of a row lie together. GGUF lists dimensions the other way round; readers turn them.
struct Shape {
  std::array<std::uint64_t, 4> dims{1, 1, 1, 1};
  std::uint8_t rank = 0;

  std::uint64_t columns() const { return rank == 0 ? 1 : dims[rank - 1u]; }
  /// Product of all dimensions but the last. Checked for overflow by whoever built the shape.
  std::uint64_t rows() const {
    std::uint64_t n = 1;
    for (unsigned i = 0; i + 1u < rank; ++i) n *= dims[i];
    return n;
  }
  std::uint64_t elements() const { return rows() * columns(); }
  bool operator==(const Shape&) const = default;
};

struct TensorView {
  DType dtype = DType::f32;
  Shape shape;
  std::span<const std::byte> bytes;  // rows() * row_bytes(dtype, columns())

  /// The bytes of row `row` of [rows(), columns()].
  std::span<const std::byte> row(std::uint64_t row) const {
    const std::uint64_t size = bytes.size() / shape.rows();
    assert(row < shape.rows());
    return bytes.subspan(row * size, size);
  }
};

}  // namespace premise
