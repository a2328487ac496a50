// Activations → codes of 16 or 8 bits with AVX2: QuantizedRows in contracts/matmul.h, four vectors
// a group.
#include <immintrin.h>

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

// Folds 8 lanes into one with `fold`, an operation on four.
template <typename Fold>
PREMISE_INLINE std::int32_t horizontal(__m256i v, Fold fold) {
  __m128i r = fold(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  r = fold(r, _mm_shuffle_epi32(r, 0x4e));
  r = fold(r, _mm_shuffle_epi32(r, 0xb1));
  return _mm_cvtsi128_si32(r);
}

PREMISE_INLINE std::int32_t sum_of(__m256i v) {
  return horizontal(v,
                    [](__m128i a, __m128i b) PREMISE_INLINE_LAMBDA { return _mm_add_epi32(a, b); });
}

PREMISE_INLINE std::uint32_t largest_of(__m256i v) {
  return static_cast<std::uint32_t>(horizontal(
      v, [](__m128i a, __m128i b) PREMISE_INLINE_LAMBDA { return _mm_max_epu32(a, b); }));
}

// Four quads, each as columns 0, 2, 1, 3. Packing works within 128-bit lanes; the permutation
// restores the order of quads.
PREMISE_INLINE void store_quads(std::int16_t* to, __m256i low, __m256i high) {
  const __m256i in_order = _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xd8);
  const __m256i quads = _mm256_shufflehi_epi16(_mm256_shufflelo_epi16(in_order, 0xd8), 0xd8);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), quads);
}

// Bit patterns of magnitudes order like the magnitudes, NaN above infinity.
PREMISE_INLINE float largest_magnitude(const float* x) {
  const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
  __m256i largest = _mm256_setzero_si256();
  for (int i = 0; i < 4; ++i) {
    const __m256i bits = _mm256_castps_si256(_mm256_loadu_ps(x + 8 * i));
    largest = _mm256_max_epu32(largest, _mm256_and_si256(bits, magnitude));
  }
  return as_float(largest_of(largest));
}

// Four vectors of 32 bits as 32 bytes, in order; all lie within a byte.
PREMISE_INLINE void store_bytes(std::int8_t* to, const __m256i (&v)[4]) {
  const __m256i low = _mm256_packs_epi32(v[0], v[1]);
  const __m256i high = _mm256_packs_epi32(v[2], v[3]);
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                      _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), order));
}

// x is multiplied by `factor` and rounded, the code shifted by `shift` bits; a factor of 0 gives 0.
PREMISE_INLINE void write_group(const float* x, float factor, int shift, std::size_t group,
                                const QuantizedRows& out, std::size_t row) {
  const __m256 factors = _mm256_set1_ps(factor);
  const __m256i keep = _mm256_set1_epi32(factor == 0.0f ? 0 : -1);
  const __m128i count = _mm_cvtsi32_si128(shift);
  __m256i q[4], high[4], low[4];
  for (int i = 0; i < 4; ++i) {
    const __m256i rounded = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + 8 * i), factors));
    q[i] = _mm256_sll_epi32(_mm256_and_si256(rounded, keep), count);
    high[i] = _mm256_srai_epi32(_mm256_add_epi32(q[i], _mm256_set1_epi32(128)), 8);
    low[i] = _mm256_sub_epi32(q[i], _mm256_slli_epi32(high[i], 8));
  }
  std::int16_t* codes = out.codes + row * out.code_stride + group * group_columns;
  store_quads(codes, q[0], q[1]);
  store_quads(codes + 16, q[2], q[3]);
  const std::size_t bytes = row * out.byte_stride + group * group_columns;
  store_bytes(out.high + bytes, high);
  store_bytes(out.low + bytes, low);
  const std::size_t index = row * out.group_stride + group;
  const std::int32_t sum_low = sum_of(_mm256_add_epi32(q[0], q[1]));
  const std::int32_t sum_high = sum_of(_mm256_add_epi32(q[2], q[3]));
  out.minus_sums32[index] = -(sum_low + sum_high);
  out.minus_sums16[2 * index] = -sum_low;
  out.minus_sums16[2 * index + 1] = -sum_high;
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

constinit const QuantizeKernel quantize_avx2 = {"quantize.avx2", run};

}  // namespace premise
