// Activations → int16 with AVX-512: QuantizedRows in contracts/matmul.h, two vectors a group.
#include "numerics/kernels/avx512/intrinsics.h"
#include "numerics/kernels/contracts/packed_layout.h"
#include "numerics/kernels/contracts/unroll.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {
namespace {

constexpr std::uint32_t infinity_bits = 0x7f800000;
constexpr std::uint32_t nan_bits = 0x7fc00000;

float as_float(std::uint32_t bits) {
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

// Four quads, each as columns 0, 2, 1, 3.
PREMISE_INLINE void store_quads(std::int16_t* to, __m512i codes) {
  const __m256i in_order = _mm512_cvtepi32_epi16(codes);
  const __m256i quads = _mm256_shufflehi_epi16(_mm256_shufflelo_epi16(in_order, 0xd8), 0xd8);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), quads);
}

void run(const float* x, std::size_t columns, const QuantizedRows& out, std::size_t row) {
  std::int16_t* codes = out.codes + row * out.code_stride;
  const std::size_t group_begin = row * out.group_stride;
  const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
  for (std::size_t g = 0; g < columns / group_columns; ++g, x += group_columns) {
    const __m512 low = _mm512_loadu_ps(x);
    const __m512 high = _mm512_loadu_ps(x + 16);
    // Bit patterns of magnitudes order like the magnitudes, NaN above infinity.
    const std::uint32_t bits = _mm512_reduce_max_epu32(
        _mm512_max_epu32(_mm512_and_si512(_mm512_castps_si512(low), magnitude),
                         _mm512_and_si512(_mm512_castps_si512(high), magnitude)));
    const float amax = as_float(bits);
    const bool finite = bits < infinity_bits;
    const bool zero = !finite || amax < 0x1p-100f;
    const __m512 factor = _mm512_set1_ps(zero ? 0.0f : 32767.0f / amax);
    const __mmask16 keep = zero ? 0 : 0xffff;
    const __m512i q_low = _mm512_maskz_cvtps_epi32(keep, _mm512_mul_ps(low, factor));
    const __m512i q_high = _mm512_maskz_cvtps_epi32(keep, _mm512_mul_ps(high, factor));
    store_quads(codes + g * group_columns, q_low);
    store_quads(codes + g * group_columns + 16, q_high);
    const std::int32_t sum_low = _mm512_reduce_add_epi32(q_low);
    const std::int32_t sum_high = _mm512_reduce_add_epi32(q_high);
    const std::size_t index = group_begin + g;
    out.scales[index] = finite ? (zero ? 0.0f : amax / 32767.0f) : as_float(nan_bits);
    out.minus_sums32[index] = -(sum_low + sum_high);
    out.minus_sums16[2 * index] = -sum_low;
    out.minus_sums16[2 * index + 1] = -sum_high;
  }
}

}  // namespace

constinit const QuantizeKernel quantize_avx512 = {"quantize.avx512", run};

}  // namespace premise
