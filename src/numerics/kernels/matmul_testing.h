// Random matrices of every type for the tests and benchmarks of multiplication.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <random>
#include <span>
#include <vector>

#include "numerics/kernels/matmul.h"
#include "numerics/kernels/packed_format.h"
#include "numerics/quant/grouped_block.h"
#include "numerics/quant/half.h"

namespace premise::matmul_testing {

using Random = std::mt19937;

/// 64-byte aligned bytes.
class AlignedBytes {
 public:
  explicit AlignedBytes(std::size_t size)
      : bytes_(static_cast<std::byte*>(::operator new(size + 64, std::align_val_t{64}))),
        size_(size) {
    std::memset(bytes_.get(), 0xAA, size);  // what is never written shows
  }
  std::byte* data() const { return bytes_.get(); }
  std::size_t size() const { return size_; }

 private:
  struct Delete {
    void operator()(std::byte* p) const { ::operator delete(p, std::align_val_t{64}); }
  };
  std::unique_ptr<std::byte, Delete> bytes_;
  std::size_t size_;
};

struct RandomTensor {
  std::vector<std::byte> bytes;
  TensorView view;
};

inline std::uint16_t random_f16(Random& random, float magnitude) {
  std::uniform_real_distribution<float> uniform(-magnitude, magnitude);
  return f32_to_f16(uniform(random));
}

inline void random_block(const GroupedFormat& format, Random& random, std::byte* out) {
  const GroupedTraits& t = format.traits;
  GroupedBlock block{};
  block.d = random_f16(random, 0.02f);
  block.dmin = t.has_min ? random_f16(random, 0.02f) : std::uint16_t{0};
  const auto between = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  for (std::size_t g = 0; g < t.groups(); ++g) {
    block.scale[g] = t.scale_bits == 0
                         ? std::int8_t{1}
                         : static_cast<std::int8_t>(between(t.scale_low, t.scale_high()));
    block.min[g] = !t.has_min        ? std::uint8_t{0}
                   : t.min_bits == 0 ? std::uint8_t{1}
                                     : static_cast<std::uint8_t>(between(0, (1 << t.min_bits) - 1));
  }
  for (std::size_t k = 0; k < t.elements; ++k)
    block.code[k] = static_cast<std::uint8_t>(random() & ((1u << t.code_bits) - 1u));
  format.pack(block, out);
}

/// Any valid blocks: every code, scale and minimum of the type can occur.
inline RandomTensor random_tensor(DType dtype, std::uint64_t rows, std::uint64_t columns,
                                  Random& random) {
  RandomTensor out;
  out.bytes.resize(rows * *row_bytes(dtype, columns));
  if (const GroupedFormat* format = grouped_format(dtype)) {
    const std::size_t step = traits(dtype).block_bytes;
    for (std::size_t at = 0; at < out.bytes.size(); at += step)
      random_block(*format, random, out.bytes.data() + at);
  } else {
    std::normal_distribution<float> normal(0, 0.05f);
    const std::size_t width = traits(dtype).block_bytes;
    for (std::size_t at = 0; at < out.bytes.size(); at += width) {
      const float value = normal(random);
      const std::uint32_t bits = dtype == DType::f32   ? std::bit_cast<std::uint32_t>(value)
                                 : dtype == DType::f16 ? f32_to_f16(value)
                                                       : f32_to_bf16(value);
      std::memcpy(out.bytes.data() + at, &bits, width);
    }
  }
  out.view.dtype = dtype;
  out.view.shape.dims = {rows, columns, 1, 1};
  out.view.shape.rank = 2;
  out.view.bytes = out.bytes;
  return out;
}

inline std::vector<float> random_activations(std::size_t count, Random& random) {
  std::normal_distribution<float> normal(0, 1);
  std::vector<float> out(count);
  for (float& value : out) value = normal(random);
  return out;
}

/// In every row some groups stand out, others in every row, so that ActivationBits::mixed has both.
inline std::vector<float> uneven_groups(std::size_t count, Random& random) {
  std::vector<float> out = random_activations(count, random);
  for (std::size_t begin = 0; begin < count; begin += 32)
    if (random() % 5 == 0)
      for (std::size_t k = begin; k < std::min(count, begin + 32); ++k) out[k] *= 20.0f;
  return out;
}

/// Every type the engine computes with.
inline std::vector<DType> computed_dtypes() {
  std::vector<DType> out;
  for (const DTypeTraits& t : all_dtypes())
    if (t.computes) out.push_back(t.dtype);
  return out;
}

/// A matrix as the engine holds it.
struct Packed {
  AlignedBytes memory;
  PackedMatrix matrix;
};

inline Packed pack(const TensorView& source) {
  const std::uint64_t rows = source.shape.rows();
  const std::uint64_t columns = source.shape.columns();
  AlignedBytes memory(packed_bytes(source.dtype, rows, columns).value());
  pack_panels(source, 0, panel_count(rows), memory.data());
  const PackedMatrix matrix = view_of(source.dtype, rows, columns, memory.data());
  return {std::move(memory), matrix};
}

/// Activations in both forms, quantized by `isa`; integer layouts only where columns allow.
struct Input {
  AlignedBytes memory;
  Activations activations;
};

inline Input quantize(Isa isa, std::span<const float> x, std::size_t rows, std::size_t columns,
                      ActivationBits bits = ActivationBits::sixteen) {
  const bool whole_groups = columns % 32 == 0;
  AlignedBytes memory(whole_groups ? quantized_bytes(rows, columns) : 0);
  Activations out{x.data(), columns, {}};
  if (whole_groups) {
    out.quantized = quantized_rows_at(memory.data(), rows, columns);
    for (std::size_t r = 0; r < rows; ++r)
      quantize_kernel(isa).run(x.data() + r * columns, columns, bits, out.quantized, r);
  }
  return {std::move(memory), out};
}

inline std::vector<float> multiply(const MatmulKernel& kernel, const PackedMatrix& weights,
                                   const Activations& input, std::size_t row_count) {
  std::vector<float> y(row_count * weights.rows, -12345.0f);
  const AlignedBytes scratch(kernel.scratch_bytes);
  kernel.run(weights, 0, panel_count(weights.rows), input, row_count, y.data(), weights.rows,
             scratch.data());
  return y;
}

}  // namespace premise::matmul_testing
