// Activations → int16 with AVX2: QuantizedRows in contracts/matmul.h, four vectors a group.
#include <immintrin.h>

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

void run(const float* x, std::size_t columns, const QuantizedRows& out, std::size_t row) {
  std::int16_t* codes = out.codes + row * out.code_stride;
  const std::size_t group_begin = row * out.group_stride;
  const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
  for (std::size_t g = 0; g < columns / group_columns; ++g, x += group_columns) {
    __m256 v[4];
    __m256i largest = _mm256_setzero_si256();
    for (int i = 0; i < 4; ++i) {
      v[i] = _mm256_loadu_ps(x + 8 * i);
      // Bit patterns of magnitudes order like the magnitudes, NaN above infinity.
      largest = _mm256_max_epu32(largest, _mm256_and_si256(_mm256_castps_si256(v[i]), magnitude));
    }
    const std::uint32_t bits = largest_of(largest);
    const float amax = as_float(bits);
    const bool finite = bits < infinity_bits;
    const bool zero = !finite || amax < 0x1p-100f;
    const __m256 factor = _mm256_set1_ps(zero ? 0.0f : 32767.0f / amax);
    const __m256i keep = _mm256_set1_epi32(zero ? 0 : -1);
    __m256i q[4];
    for (int i = 0; i < 4; ++i)
      q[i] = _mm256_and_si256(_mm256_cvtps_epi32(_mm256_mul_ps(v[i], factor)), keep);
    store_quads(codes + g * group_columns, q[0], q[1]);
    store_quads(codes + g * group_columns + 16, q[2], q[3]);
    const std::int32_t sum_low = sum_of(_mm256_add_epi32(q[0], q[1]));
    const std::int32_t sum_high = sum_of(_mm256_add_epi32(q[2], q[3]));
    const std::size_t index = group_begin + g;
    out.scales[index] = finite ? (zero ? 0.0f : amax / 32767.0f) : as_float(nan_bits);
    out.minus_sums32[index] = -(sum_low + sum_high);
    out.minus_sums16[2 * index] = -sum_low;
    out.minus_sums16[2 * index + 1] = -sum_high;
  }
}

}  // namespace

constinit const QuantizeKernel quantize_avx2 = {"quantize.avx2", run};

}  // namespace premise
