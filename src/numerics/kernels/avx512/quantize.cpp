// Activations → codes of 16 or 8 bits with AVX-512: QuantizedRows in contracts/matmul.h, two
// vectors a group.
#include "numerics/kernels/avx512/intrinsics.h"
#include "numerics/kernels/contracts/packed_layout.h"
#include "numerics/kernels/contracts/unroll.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {
namespace {

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

// Bit patterns of magnitudes order like the magnitudes, NaN above infinity.
PREMISE_INLINE float largest_magnitude(const float* x) {
  const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
  const __m512i low = _mm512_castps_si512(_mm512_loadu_ps(x));
  const __m512i high = _mm512_castps_si512(_mm512_loadu_ps(x + 16));
  return as_float(_mm512_reduce_max_epu32(
      _mm512_max_epu32(_mm512_and_si512(low, magnitude), _mm512_and_si512(high, magnitude))));
}

// Half a group: words, bytes and −Σ q.
PREMISE_INLINE std::int32_t write_half(__m512i q, std::int16_t* codes, std::int8_t* high,
                                       std::int8_t* low) {
  store_quads(codes, q);
  const __m512i upper = _mm512_srai_epi32(_mm512_add_epi32(q, _mm512_set1_epi32(128)), 8);
  const __m512i lower = _mm512_sub_epi32(q, _mm512_slli_epi32(upper, 8));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(high), _mm512_cvtepi32_epi8(upper));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(low), _mm512_cvtepi32_epi8(lower));
  return -_mm512_reduce_add_epi32(q);
}

// x is multiplied by `factor` and rounded, the code shifted by `shift` bits; a factor of 0 gives 0.
PREMISE_INLINE void write_group(const float* x, float factor, int shift, std::size_t group,
                                const QuantizedRows& out, std::size_t row) {
  const __m512 factors = _mm512_set1_ps(factor);
  const __mmask16 keep = factor == 0.0f ? 0 : 0xffff;
  const __m128i count = _mm_cvtsi32_si128(shift);
  const __m512i q_low = _mm512_sll_epi32(
      _mm512_maskz_cvtps_epi32(keep, _mm512_mul_ps(_mm512_loadu_ps(x), factors)), count);
  const __m512i q_high = _mm512_sll_epi32(
      _mm512_maskz_cvtps_epi32(keep, _mm512_mul_ps(_mm512_loadu_ps(x + 16), factors)), count);
  std::int16_t* codes = out.codes + row * out.code_stride + group * group_columns;
  const std::size_t bytes = row * out.byte_stride + group * group_columns;
  const std::size_t index = row * out.group_stride + group;
  const std::int32_t low = write_half(q_low, codes, out.high + bytes, out.low + bytes);
  const std::int32_t high =
      write_half(q_high, codes + 16, out.high + bytes + 16, out.low + bytes + 16);
  out.minus_sums32[index] = low + high;
  out.minus_sums16[2 * index] = low;
  out.minus_sums16[2 * index + 1] = high;
}

void run(const float* x, std::size_t columns, ActivationBits bits, const QuantizedRows& out,
         std::size_t row) {
  const std::size_t groups = columns / group_columns;
  float* scales = out.scales + row * out.group_stride;
  for (std::size_t g = 0; g < groups; ++g) scales[g] = largest_magnitude(x + g * group_columns);
  const float limit = fine_limit(bits, scales, groups);
  std::uint8_t* fine = out.fine + row * out.chunk_stride;
  for (std::size_t g = 0; g < groups; ++g) {
    const float amax = scales[g];
    const bool finite = amax <= 0x1.fffffep127f;
    const bool zero = !finite || amax < 0x1p-100f;
    const bool is_fine = !zero && amax > limit;
    const float factor = zero ? 0.0f : (is_fine ? fine_range : coarse_range) / amax;
    write_group(x + g * group_columns, factor, is_fine ? 0 : 8, g, out, row);
    if (g % chunk_groups == 0) fine[g / chunk_groups] = 0;
    fine[g / chunk_groups] |= static_cast<std::uint8_t>((is_fine ? 1 : 0) << g % chunk_groups);
    scales[g] = finite ? (zero ? 0.0f : amax / fine_range) : as_float(nan_bits);
  }
}

}  // namespace

constinit const QuantizeKernel quantize_avx512 = {"quantize.avx512", run};

}  // namespace premise
