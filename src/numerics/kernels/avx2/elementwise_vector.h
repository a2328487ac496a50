// Sixteen floats, as AVX2 holds them: two registers. The same names stand in
// avx512/elementwise_vector.h, with the same result to the last bit, so that the bodies of the
// kernels are written once (elementwise_body.h, attention_body.h). Everything is in an anonymous
// namespace: an inline function with external linkage could be shared with files of narrower
// machines.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace premise {
namespace {

struct Vector {
  __m256 low;
  __m256 high;
};

/// Column tiles of a product with `rows` rows: 4 sums of two registers each, with two operands and
/// a broadcast, fit 16 registers, and eight independent sums hide the latency of 4 cycles on two
/// units.
constexpr int column_tiles(int rows) { return rows == 1 ? 4 : rows == 2 ? 2 : 1; }
/// The same where each tile also keeps its scales in registers.
constexpr int scaled_tiles(int rows) { return rows == 1 ? 2 : 1; }

/// All bits of the first n lanes (0 <= n, of eight).
inline __m256i first_lanes(int n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/// Asks for the line of *p, into the second-level cache.
inline void fetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T1); }

inline Vector zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
inline Vector broadcast(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
inline Vector load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
inline void store(float* p, Vector x) {
  _mm256_storeu_ps(p, x.low);
  _mm256_storeu_ps(p + 8, x.high);
}
/// The first n < 16 lanes; the others are 0. Masked lanes are never read (nor written).
inline Vector load_first(const float* p, std::size_t n) {
  const int lanes = static_cast<int>(n);
  return {_mm256_maskload_ps(p, first_lanes(lanes)),
          _mm256_maskload_ps(p + 8, first_lanes(lanes - 8))};
}
inline void store_first(float* p, Vector x, std::size_t n) {
  const int lanes = static_cast<int>(n);
  _mm256_maskstore_ps(p, first_lanes(lanes), x.low);
  _mm256_maskstore_ps(p + 8, first_lanes(lanes - 8), x.high);
}

inline __m256 load_eight_lanes(const std::uint16_t* p) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline Vector load(const std::uint16_t* p) {
  return {load_eight_lanes(p), load_eight_lanes(p + 8)};
}
/// Eight F16 values; the upper lanes are 0.
inline Vector load_eight(const std::uint16_t* p) {
  return {load_eight_lanes(p), _mm256_setzero_ps()};
}
inline void store_half(std::uint16_t* p, Vector x) {
  constexpr int nearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(x.low, nearest));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p + 8), _mm256_cvtps_ph(x.high, nearest));
}

inline __m256 load_eight_lanes(const std::int8_t* p) {
  return _mm256_cvtepi32_ps(
      _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
}
inline Vector load(const std::int8_t* p) { return {load_eight_lanes(p), load_eight_lanes(p + 8)}; }
/// Whole numbers from -128 to 127.
inline void store_codes(std::int8_t* p, Vector x) {
  const __m256i words =  // of every 128 bits: 4 of the low eight, 4 of the high eight
      _mm256_packs_epi32(_mm256_cvtps_epi32(x.low), _mm256_cvtps_epi32(x.high));
  const __m256i ordered = _mm256_permute4x64_epi64(words, 0b11011000);
  _mm_storeu_si128(
      reinterpret_cast<__m128i*>(p),
      _mm_packs_epi16(_mm256_castsi256_si128(ordered), _mm256_extracti128_si256(ordered, 1)));
}
/// The least F16 that is not below x >= 0, and an F16 as a float.
inline std::uint16_t half_above(float x) {
  const __m128i half = _mm_cvtps_ph(_mm_set_ss(x), _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC);
  return static_cast<std::uint16_t>(_mm_extract_epi16(half, 0));
}
inline float from_half(std::uint16_t x) {
  return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(x)));
}

inline Vector add(Vector a, Vector b) {
  return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)};
}
inline Vector subtract(Vector a, Vector b) {
  return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)};
}
inline Vector multiply(Vector a, Vector b) {
  return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)};
}
inline Vector divide(Vector a, Vector b) {
  return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)};
}
/// a * b + c, rounded once; c - a * b, rounded once.
inline Vector fma(Vector a, Vector b, Vector c) {
  return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}
inline Vector fnma(Vector a, Vector b, Vector c) {
  return {_mm256_fnmadd_ps(a.low, b.low, c.low), _mm256_fnmadd_ps(a.high, b.high, c.high)};
}
/// The second operand where either is NaN.
inline Vector minimum(Vector a, Vector b) {
  return {_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)};
}
inline Vector maximum(Vector a, Vector b) {
  return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)};
}
inline Vector round_to_nearest(Vector x) {
  constexpr int nearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  return {_mm256_round_ps(x.low, nearest), _mm256_round_ps(x.high, nearest)};
}

/// x * 2^n for eight lanes, in two steps: 2^n itself may lie outside the range of floats. The first
/// product is exact (x is about 1), so the result is rounded once.
inline __m256 scale_eight(__m256 x, __m256 n) {
  const __m256i whole = _mm256_cvtps_epi32(n);
  const __m256i half = _mm256_srai_epi32(whole, 1);
  const __m256i rest = _mm256_sub_epi32(whole, half);
  const __m256i bias = _mm256_set1_epi32(127);
  const __m256i first = _mm256_slli_epi32(_mm256_add_epi32(half, bias), 23);
  const __m256i second = _mm256_slli_epi32(_mm256_add_epi32(rest, bias), 23);
  return _mm256_mul_ps(_mm256_mul_ps(x, _mm256_castsi256_ps(first)), _mm256_castsi256_ps(second));
}
/// x * 2^n, rounded once; n is whole and lies in [-252, 254].
inline Vector scale_by_power(Vector x, Vector n) {
  return {scale_eight(x.low, n.low), scale_eight(x.high, n.high)};
}

inline __m256 sign_bit() { return _mm256_set1_ps(-0.0f); }
inline Vector magnitude(Vector x) {
  return {_mm256_andnot_ps(sign_bit(), x.low), _mm256_andnot_ps(sign_bit(), x.high)};
}
/// x >= 0 with the sign of y.
inline Vector with_sign(Vector x, Vector y) {
  return {_mm256_or_ps(x.low, _mm256_and_ps(sign_bit(), y.low)),
          _mm256_or_ps(x.high, _mm256_and_ps(sign_bit(), y.high))};
}
/// Per lane: a < b ? x : y, y where NaN.
inline Vector where_less(Vector a, Vector b, Vector x, Vector y) {
  return {_mm256_blendv_ps(y.low, x.low, _mm256_cmp_ps(a.low, b.low, _CMP_LT_OQ)),
          _mm256_blendv_ps(y.high, x.high, _mm256_cmp_ps(a.high, b.high, _CMP_LT_OQ))};
}
inline __m256 keep_eight(__m256 x, int first, int last, __m256 other) {
  const __m256i lanes = _mm256_andnot_si256(first_lanes(first), first_lanes(last));
  return _mm256_blendv_ps(other, x, _mm256_castsi256_ps(lanes));
}
/// Lanes first … last - 1 of x, `other` elsewhere. 0 <= first, last <= 16.
inline Vector keep_lanes(Vector x, int first, int last, Vector other) {
  return {keep_eight(x.low, first, last, other.low),
          keep_eight(x.high, first - 8, last - 8, other.high)};
}

inline float sum(Vector x) {
  const __m256 eight = _mm256_add_ps(x.low, x.high);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
inline float largest(Vector x) {
  const __m256 eight = _mm256_max_ps(x.low, x.high);
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

/// Eight floats, each in two neighbouring lanes; only the first n <= 8 are read.
inline Vector load_doubled(const float* p, std::size_t n) {
  const __m256 x = _mm256_maskload_ps(p, first_lanes(static_cast<int>(n)));
  return {_mm256_permutevar8x32_ps(x, _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3)),
          _mm256_permutevar8x32_ps(x, _mm256_setr_epi32(4, 4, 5, 5, 6, 6, 7, 7))};
}
inline __m256 rotate_four(__m256 x, __m256 cosine, __m256 sine) {
  const __m256 swapped = _mm256_permute_ps(x, 0b10110001);
  return _mm256_fmaddsub_ps(x, cosine, _mm256_mul_ps(swapped, sine));
}
/// Pairs of lanes (a, b) become (a c - b s, b c + a s).
inline Vector rotate_pairs(Vector x, Vector cosine, Vector sine) {
  return {rotate_four(x.low, cosine.low, sine.low), rotate_four(x.high, cosine.high, sine.high)};
}

}  // namespace
}  // namespace premise
