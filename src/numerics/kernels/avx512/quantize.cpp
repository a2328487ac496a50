// Activations → codes of 16 or 8 bits with AVX-512: QuantizedRows in contracts/matmul.h, two
// vectors a group.
#include "numerics/kernels/avx512/intrinsics.h"
#include "numerics/kernels/contracts/packed_layout.h"
#include "numerics/kernels/contracts/unroll.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {
namespace {

constexpr std::uint32_t nan_bits = 0x7fc00000;
constexpr std::size_t lanes = 16;

float as_float(std::uint32_t bits) {
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

// Bit patterns of magnitudes order like the magnitudes, NaN above infinity.
PREMISE_INLINE __m512i largest_in_lanes(const float* group) {
  const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
  const __m512i low = _mm512_castps_si512(_mm512_loadu_ps(group));
  const __m512i high = _mm512_castps_si512(_mm512_loadu_ps(group + lanes));
  return _mm512_max_epu32(_mm512_and_si512(low, magnitude), _mm512_and_si512(high, magnitude));
}

// The largest magnitudes of `count` groups at x (at most 16), one lane each, 0 in the others. Four
// rounds, each of which folds two vectors into one, are a third of the work of folding every
// vector by itself. And they end in a vector: sixteen floats that were stored one by one cannot be
// loaded as one until all stores before them have left the core.
PREMISE_INLINE __m512 largest_magnitudes(const float* x, std::size_t count) {
  __m512i v[lanes];
  unroll<0, lanes>([&]<int g>() PREMISE_INLINE_LAMBDA {
    v[g] =
        std::size_t{g} < count ? largest_in_lanes(x + g * group_columns) : _mm512_setzero_si512();
  });
  unroll<0, 8>([&]<int i>() PREMISE_INLINE_LAMBDA {
    v[i] = _mm512_max_epu32(_mm512_unpacklo_epi32(v[2 * i], v[2 * i + 1]),
                            _mm512_unpackhi_epi32(v[2 * i], v[2 * i + 1]));
  });
  unroll<0, 4>([&]<int i>() PREMISE_INLINE_LAMBDA {  // then 128 bits are four groups
    v[i] = _mm512_max_epu32(_mm512_unpacklo_epi64(v[2 * i], v[2 * i + 1]),
                            _mm512_unpackhi_epi64(v[2 * i], v[2 * i + 1]));
  });
  const auto fold = [](__m512i a, __m512i b) PREMISE_INLINE_LAMBDA {
    return _mm512_max_epu32(_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xdd));
  };
  return _mm512_castsi512_ps(fold(fold(v[0], v[1]), fold(v[2], v[3])));
}

// What is known of 16 groups before their codes: one lane each.
struct Factors {
  alignas(64) float factor[lanes];  // that x is multiplied by
  __mmask16 fine;
  __mmask16 present;  // not zero, and finite: the codes of others are 0
};

// The largest magnitudes of 16 groups at `scales` become their scales.
PREMISE_INLINE Factors factors_of(float* scales, float limit) {
  const __m512 amax = _mm512_load_ps(scales);
  const __mmask16 finite = _mm512_cmp_ps_mask(amax, _mm512_set1_ps(0x1.fffffep127f), _CMP_LE_OQ);
  Factors to;
  to.present = _mm512_mask_cmp_ps_mask(finite, amax, _mm512_set1_ps(0x1p-100f), _CMP_GE_OQ);
  to.fine = _mm512_mask_cmp_ps_mask(to.present, amax, _mm512_set1_ps(limit), _CMP_GT_OQ);
  const __m512 range =
      _mm512_mask_blend_ps(to.fine, _mm512_set1_ps(coarse_range), _mm512_set1_ps(fine_range));
  _mm512_store_ps(to.factor, _mm512_maskz_div_ps(to.present, range, amax));
  const __m512 scale = _mm512_maskz_div_ps(to.present, amax, _mm512_set1_ps(fine_range));
  _mm512_store_ps(scales, _mm512_mask_mov_ps(_mm512_set1_ps(as_float(nan_bits)), finite, scale));
  return to;
}

// 32 numbers as words in the order of columns, rounded and shifted up; none where not `present`.
struct Words {
  __m512i packed;  // of every 128 bits: 4 of the first 16 columns, 4 of the last

  PREMISE_INLINE Words(const float* x, float factor, bool present, bool fine) {
    const __m512 factors = _mm512_set1_ps(factor);
    const __mmask16 keep = present ? 0xffff : 0;
    const auto round = [&](const float* from) PREMISE_INLINE_LAMBDA {
      return _mm512_maskz_cvtps_epi32(keep, _mm512_mul_ps(_mm512_loadu_ps(from), factors));
    };
    packed = _mm512_sll_epi16(_mm512_packs_epi32(round(x), round(x + lanes)),
                              _mm_cvtsi32_si128(fine ? 0 : 8));
  }
  PREMISE_INLINE __m512i in_order() const {
    return _mm512_permutexvar_epi64(_mm512_set_epi64(7, 5, 3, 1, 6, 4, 2, 0), packed);
  }
};

// Words [quad][0, 2, 1, 3] from words in the order of columns.
PREMISE_INLINE __m512i as_quads(__m512i words) {
  return _mm512_shufflehi_epi16(_mm512_shufflelo_epi16(words, 0xd8), 0xd8);
}

// −Σ q of a group and of its halves.
PREMISE_INLINE void write_sums(__m512i words, std::int32_t* sum32, std::int32_t* sum16) {
  __m512i sums = _mm512_madd_epi16(words, _mm512_set1_epi16(-1));  // of two columns each
  sums = _mm512_add_epi32(sums, _mm512_shuffle_epi32(sums, _MM_PERM_BADC));
  sums = _mm512_add_epi32(sums, _mm512_shuffle_epi32(sums, _MM_PERM_CDAB));
  const std::int32_t low = _mm_cvtsi128_si32(
      _mm_add_epi32(_mm512_castsi512_si128(sums), _mm512_extracti32x4_epi32(sums, 1)));
  const std::int32_t high = _mm_cvtsi128_si32(
      _mm_add_epi32(_mm512_extracti32x4_epi32(sums, 2), _mm512_extracti32x4_epi32(sums, 3)));
  *sum32 = low + high;
  sum16[0] = low;
  sum16[1] = high;
}

PREMISE_INLINE void write_group(__m512i words, std::size_t group, const QuantizedRows& out,
                                std::size_t row) {
  const std::size_t column = group * group_columns;
  _mm512_storeu_si512(out.codes + row * out.code_stride + column, as_quads(words));
  // q = 256 · high + low: low is the last byte of q, and half a unit more carries into high.
  const __m512i upper = _mm512_srai_epi16(_mm512_add_epi16(words, _mm512_set1_epi16(128)), 8);
  const std::size_t bytes = row * out.byte_stride + column;
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out.high + bytes), _mm512_cvtepi16_epi8(upper));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out.low + bytes), _mm512_cvtepi16_epi8(words));
  const std::size_t index = row * out.group_stride + group;
  write_sums(words, out.minus_sums32 + index, out.minus_sums16 + 2 * index);
}

void run(const float* x, std::size_t columns, ActivationBits bits, const QuantizedRows& out,
         std::size_t row) {
  const std::size_t groups = columns / group_columns;
  float* scales = out.scales + row * out.group_stride;
  for (std::size_t first = 0; first < groups; first += lanes)  // a row of scales is whole lines
    _mm512_store_ps(scales + first, largest_magnitudes(x + first * group_columns, groups - first));
  const float limit = fine_limit(bits, scales, groups);
  std::uint8_t* fine = out.fine + row * out.chunk_stride;
  for (std::size_t first = 0; first < groups; first += lanes) {
    const std::size_t count = groups - first < lanes ? groups - first : lanes;
    const Factors factors = factors_of(scales + first, limit);
    for (std::size_t g = 0; g < count; ++g) {
      const Words words(x + (first + g) * group_columns, factors.factor[g],
                        factors.present >> g & 1, factors.fine >> g & 1);
      write_group(words.in_order(), first + g, out, row);
    }
    for (std::size_t g = 0; g < count; g += chunk_groups)
      fine[(first + g) / chunk_groups] = static_cast<std::uint8_t>(factors.fine >> g);
  }
}

}  // namespace

constinit const QuantizeKernel quantize_avx512 = {"quantize.avx512", run};

}  // namespace premise
