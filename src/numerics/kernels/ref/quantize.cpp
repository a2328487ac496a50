// Activations → int16, scalar: QuantizedRows in contracts/matmul.h.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "numerics/kernels/contracts/packed_layout.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {
namespace {

constexpr std::uint32_t infinity_bits = 0x7f800000;

// Magnitudes order like their bit patterns, and NaN lies above infinity: one integer maximum finds
// the largest element and whether all are finite.
std::uint32_t largest_magnitude_bits(const float* x) {
  std::uint32_t largest = 0;
  for (std::uint32_t k = 0; k < group_columns; ++k)
    largest = std::max(largest, std::bit_cast<std::uint32_t>(x[k]) & 0x7fffffffu);
  return largest;
}

void run(const float* x, std::size_t columns, const QuantizedRows& out, std::size_t row) {
  std::int16_t* codes = out.codes + row * out.code_stride;
  for (std::size_t g = 0; g < columns / group_columns; ++g) {
    const std::uint32_t bits = largest_magnitude_bits(x + g * group_columns);
    const float amax = std::bit_cast<float>(bits);
    const bool finite = bits < infinity_bits;
    const bool zero = !finite || amax < 0x1p-100f;
    const float factor = zero ? 0.0f : 32767.0f / amax;
    std::int32_t minus_sum[2] = {0, 0};
    for (std::uint32_t k = 0; k < group_columns; ++k) {
      const long q = zero ? 0 : std::lrint(x[g * group_columns + k] * factor);
      codes[g * group_columns + k / 4 * 4 + quad_order[k % 4]] = static_cast<std::int16_t>(q);
      minus_sum[k / 16] -= static_cast<std::int32_t>(q);
    }
    const std::size_t index = row * out.group_stride + g;
    out.scales[index] = !finite ? std::numeric_limits<float>::quiet_NaN()
                        : zero  ? 0.0f
                                : amax / 32767.0f;
    out.minus_sums32[index] = minus_sum[0] + minus_sum[1];
    out.minus_sums16[2 * index] = minus_sum[0];
    out.minus_sums16[2 * index + 1] = minus_sum[1];
  }
}

}  // namespace

const QuantizeKernel quantize_ref = {"quantize.ref", run};

}  // namespace premise
