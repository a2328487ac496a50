// Sixteen floats, as AVX-512 holds them: one register. The same names stand in
// avx2/elementwise_vector.h, with the same result to the last bit, so that the bodies of the
// kernels are written once (elementwise_body.h, attention_body.h). Everything is in an anonymous
// namespace: an inline function with external linkage could be shared with files of narrower
// machines.
#pragma once

// GCC 12 takes the deliberately undefined operands inside its own intrinsics for mistakes of ours
// (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace premise {
namespace {

using Vector = __m512;
using LaneMask = __mmask16;

/// Column tiles of a product with `rows` rows: 4 x 4 accumulators, 4 operands and a broadcast fit
/// 32 registers, and 16 independent sums hide the latency of 4 cycles on two units.
constexpr int column_tiles(int /*rows*/) { return 4; }
/// The same where each tile also keeps its scales in registers: 4 of the 7 that are left.
constexpr int scaled_tiles(int rows) { return column_tiles(rows); }

inline LaneMask first_lanes(std::size_t n) { return static_cast<LaneMask>((1u << n) - 1u); }

/// Asks for the line of *p, into the second-level cache.
inline void fetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T1); }

inline Vector zero() { return _mm512_setzero_ps(); }
inline Vector broadcast(float x) { return _mm512_set1_ps(x); }
inline Vector load(const float* p) { return _mm512_loadu_ps(p); }
inline void store(float* p, Vector x) { _mm512_storeu_ps(p, x); }
/// The first n < 16 lanes; the others are 0.
inline Vector load_first(const float* p, std::size_t n) {
  return _mm512_maskz_loadu_ps(first_lanes(n), p);
}
inline void store_first(float* p, Vector x, std::size_t n) {
  _mm512_mask_storeu_ps(p, first_lanes(n), x);
}

inline Vector load(const std::uint16_t* p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
/// Eight F16 values; the upper lanes are 0.
inline Vector load_eight(const std::uint16_t* p) {
  const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return _mm512_cvtph_ps(_mm256_zextsi128_si256(low));
}
inline void store_half(std::uint16_t* p, Vector x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                      _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

inline Vector load(const std::int8_t* p) {
  return _mm512_cvtepi32_ps(
      _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
/// Whole numbers from -128 to 127.
inline void store_codes(std::int8_t* p, Vector x) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(x)));
}
/// The least F16 that is not below x >= 0, and an F16 as a float.
inline std::uint16_t half_above(float x) {
  const __m128i half = _mm_cvtps_ph(_mm_set_ss(x), _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC);
  return static_cast<std::uint16_t>(_mm_extract_epi16(half, 0));
}
inline float from_half(std::uint16_t x) {
  return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(x)));
}

inline Vector add(Vector a, Vector b) { return _mm512_add_ps(a, b); }
inline Vector subtract(Vector a, Vector b) { return _mm512_sub_ps(a, b); }
inline Vector multiply(Vector a, Vector b) { return _mm512_mul_ps(a, b); }
inline Vector divide(Vector a, Vector b) { return _mm512_div_ps(a, b); }
/// a * b + c, rounded once; c - a * b, rounded once.
inline Vector fma(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
inline Vector fnma(Vector a, Vector b, Vector c) { return _mm512_fnmadd_ps(a, b, c); }
/// The second operand where either is NaN.
inline Vector minimum(Vector a, Vector b) { return _mm512_min_ps(a, b); }
inline Vector maximum(Vector a, Vector b) { return _mm512_max_ps(a, b); }
inline Vector round_to_nearest(Vector x) {
  return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
/// x * 2^n, rounded once; n is whole and lies in [-252, 254].
inline Vector scale_by_power(Vector x, Vector n) { return _mm512_scalef_ps(x, n); }

inline Vector sign_bit() { return broadcast(-0.0f); }
inline Vector magnitude(Vector x) { return _mm512_andnot_ps(sign_bit(), x); }
/// x >= 0 with the sign of y.
inline Vector with_sign(Vector x, Vector y) {
  return _mm512_or_ps(x, _mm512_and_ps(sign_bit(), y));
}
/// Per lane: a < b ? x : y, y where NaN.
inline Vector where_less(Vector a, Vector b, Vector x, Vector y) {
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), y, x);
}
/// Lanes first … last - 1 of x, `other` elsewhere. 0 <= first, last <= 16.
inline Vector keep_lanes(Vector x, int first, int last, Vector other) {
  const unsigned lanes = ((1u << last) - 1u) & ~((1u << first) - 1u);
  return _mm512_mask_blend_ps(static_cast<LaneMask>(lanes), other, x);
}

inline __m256 upper_half(Vector x) {
  return _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(x), 1));
}
inline float sum(Vector x) {
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(x), upper_half(x));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
inline float largest(Vector x) {
  const __m256 eight = _mm256_max_ps(_mm512_castps512_ps256(x), upper_half(x));
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

/// Eight floats, each in two neighbouring lanes; only the first n <= 8 are read.
inline Vector load_doubled(const float* p, std::size_t n) {
  const __m512i lanes = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
  return _mm512_permutexvar_ps(lanes, load_first(p, n));
}
/// Pairs of lanes (a, b) become (a c - b s, b c + a s).
inline Vector rotate_pairs(Vector x, Vector cosine, Vector sine) {
  const Vector swapped = _mm512_permute_ps(x, 0b10110001);
  return _mm512_fmaddsub_ps(x, cosine, _mm512_mul_ps(swapped, sine));
}

}  // namespace
}  // namespace premise
