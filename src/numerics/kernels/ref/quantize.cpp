// Activations → int16, scalar: QuantizedRows in contracts/matmul.h.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "numerics/kernels/contracts/packed_layout.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {
namespace {

// Magnitudes order like their bit patterns, and NaN lies above infinity: one integer maximum finds
// the largest element and whether all are finite.
std::uint32_t largest_magnitude_bits(const float* x) {
  std::uint32_t largest = 0;
  for (std::uint32_t k = 0; k < group_columns; ++k)
    largest = std::max(largest, std::bit_cast<std::uint32_t>(x[k]) & 0x7fffffffu);
  return largest;
}

// The codes of one group and their sums; x is multiplied by `factor`, rounded, multiplied by
// `step`.
void write_group(const float* x, float factor, std::int32_t step, std::size_t group,
                 const QuantizedRows& out, std::size_t row) {
  std::int16_t* codes = out.codes + row * out.code_stride + group * group_columns;
  const std::size_t bytes = row * out.byte_stride + group * group_columns;
  const std::size_t index = row * out.group_stride + group;
  std::int32_t minus_sum[2] = {0, 0};
  for (std::uint32_t k = 0; k < group_columns; ++k) {
    const auto q = factor == 0.0f ? 0 : static_cast<std::int32_t>(std::lrint(x[k] * factor)) * step;
    const std::int32_t high = (q + 128) >> 8;
    codes[k / 4 * 4 + quad_order[k % 4]] = static_cast<std::int16_t>(q);
    out.high[bytes + k] = static_cast<std::int8_t>(high);
    out.low[bytes + k] = static_cast<std::int8_t>(q - 256 * high);
    minus_sum[k / 16] -= q;
  }
  out.minus_sums32[index] = minus_sum[0] + minus_sum[1];
  out.minus_sums16[2 * index] = minus_sum[0];
  out.minus_sums16[2 * index + 1] = minus_sum[1];
}

void run(const float* x, std::size_t columns, ActivationBits bits, const QuantizedRows& out,
         std::size_t row) {
  const std::size_t groups = columns / group_columns;
  float* scales = out.scales + row * out.group_stride;
  for (std::size_t g = 0; g < groups; ++g)
    scales[g] = std::bit_cast<float>(largest_magnitude_bits(x + g * group_columns));
  const float limit = fine_limit(bits, scales, groups);
  std::uint8_t* fine = out.fine + row * out.chunk_stride;
  for (std::size_t g = 0; g < groups; ++g) {
    const float amax = scales[g];
    const bool finite = amax <= std::numeric_limits<float>::max();
    const bool zero = !finite || amax < 0x1p-100f;
    const bool is_fine = !zero && amax > limit;
    const float factor = zero ? 0.0f : (is_fine ? fine_range : coarse_range) / amax;
    write_group(x + g * group_columns, factor, is_fine ? 1 : 256, g, out, row);
    if (g % chunk_groups == 0) fine[g / chunk_groups] = 0;
    fine[g / chunk_groups] |= static_cast<std::uint8_t>((is_fine ? 1 : 0) << g % chunk_groups);
    scales[g] = !finite ? std::numeric_limits<float>::quiet_NaN() : zero ? 0.0f : amax / fine_range;
  }
}

}  // namespace

const QuantizeKernel quantize_ref = {"quantize.ref", run};

}  // namespace premise
