// Weights of one group in 256-bit registers: codes and scales of half a panel (8 rows), for every
// layout of contracts/packed_layout.h, and the dot product that AVX2 lacks. Everything here is
// private to the file that includes it.
//
// vpmaddubsw multiplies unsigned by signed bytes and adds pairs into 16 bits, saturating. Exactness
// is a law here, so nothing may ever saturate or wrap. Activations lie within ±127, hence one
// product pair stays within 2 · max_code · 127, and that many quads may be summed in 16 bits before
// vpmaddwd widens them:
//   p2  max 3    762 a quad     8 quads:  6,096
//   p3  max 7    1,778          8 quads: 14,224
//   p4  max 15   3,810          8 quads: 30,480
//   p5  max 31   7,874          4 quads: 31,496
//   p6  max 63   16,002         2 quads: 32,004
//   p8, t4       codes up to 255 would reach 64,770 > 32,767. Their levels c − 128 go in as |level|
//                (≤ 128, as unsigned byte exact) times the activation with the level's sign:
//                2 · 128 · 127 = 32,512      1 quad
#pragma once

#include <immintrin.h>

#include "numerics/kernels/contracts/packed_layout.h"
#include "numerics/kernels/contracts/unroll.h"

namespace premise {
namespace {

PREMISE_INLINE __m256i load256(const void* from) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}

template <int from, int to>
PREMISE_INLINE __m256i move_bit(__m256i v) {
  if constexpr (from > to)
    return _mm256_srli_epi16(v, from - to);
  else if constexpr (from < to)
    return _mm256_slli_epi16(v, to - from);
  else
    return v;
}

PREMISE_INLINE __m256i masked(__m256i v, int mask) {
  return _mm256_and_si256(v, _mm256_set1_epi8(static_cast<char>(mask)));
}

/// Whether quads are held as levels c − 128, with sign, instead of as codes.
static constexpr bool holds_levels(Layout layout) {
  return layout == Layout::p8 || layout == Layout::t4;
}

/// Quads that may be summed in 16 bits; the table above.
static constexpr int quads_in_16_bits(Layout layout) {
  switch (layout) {
    case Layout::p5:
      return 4;
    case Layout::p6:
      return 2;
    case Layout::p8:
    case Layout::t4:
      return 1;
    default:
      return 8;
  }
}

/// The vectors of one group of half a panel; quad<q>() are the codes (or levels) of quad q.
template <Layout layout>
struct Codes {
  static constexpr int count = static_cast<int>(code_bytes(layout)) / 64;
  __m256i v[count];

  PREMISE_INLINE Codes(const std::byte* group, int half) {
    unroll<0, count>([&]<int i>()
                         PREMISE_INLINE_LAMBDA { v[i] = load256(group + 64 * i + 32 * half); });
  }

  template <int q>
  PREMISE_INLINE __m256i nibble() const {
    return masked(move_bit<(q < 4 ? 0 : 4), 0>(v[q % 4]), 15);
  }

  template <int q>
  PREMISE_INLINE __m256i quad() const {
    const __m256i sign_bits = _mm256_set1_epi8(-128);
    if constexpr (layout == Layout::p8) {
      return _mm256_xor_si256(v[q], sign_bits);
    } else if constexpr (layout == Layout::p4) {
      return nibble<q>();
    } else if constexpr (layout == Layout::t4) {
      const __m256i table =
          _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(iq4_codes)));
      return _mm256_shuffle_epi8(_mm256_xor_si256(table, sign_bits), nibble<q>());
    } else if constexpr (layout == Layout::p5) {
      return _mm256_or_si256(nibble<q>(), masked(move_bit<q, 4>(v[4]), 0x10));
    } else if constexpr (layout == Layout::p6) {
      return _mm256_or_si256(nibble<q>(), masked(move_bit<2 * (q % 4), 4>(v[4 + q / 4]), 0x30));
    } else {
      const __m256i pair = masked(move_bit<2 * (q % 4), 0>(v[q / 4]), 3);
      if constexpr (layout == Layout::p2)
        return pair;
      else
        return _mm256_or_si256(pair, masked(move_bit<q, 2>(v[2]), 0x04));
    }
  }
};

/// One quad of 8 rows times 4 activations, as pairs in 16 bits.
template <Layout layout>
PREMISE_INLINE __m256i multiply_quad(__m256i weights, __m256i activations) {
  if constexpr (holds_levels(layout))
    return _mm256_maddubs_epi16(_mm256_abs_epi8(weights), _mm256_sign_epi8(activations, weights));
  else
    return _mm256_maddubs_epi16(weights, activations);
}

/// Pairs in 16 bits → sums of 4 in 32.
PREMISE_INLINE __m256i widen(__m256i pairs) {
  return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

/// The scales of one chunk of half a panel: S and M of contracts/matmul.h.
template <ScaleKind kind>
struct Scales {
  static constexpr bool halves = scale_columns(kind) == 16;
  static constexpr bool mins = has_min(kind);
  const std::byte* f16_from;  // first of this half's 8 rows, where scales are f16
  const std::byte* i8_from;   // where they are bytes
  __m256 d, dmin;

  static PREMISE_INLINE __m256 f16(const std::byte* p) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static PREMISE_INLINE __m256 i8(const std::byte* p) {
    return _mm256_cvtepi32_ps(
        _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
  }
  static PREMISE_INLINE __m256i u8(const std::byte* p) {
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
  }

  PREMISE_INLINE void open(const std::byte* chunk, int half) {
    f16_from = chunk + super_bytes(kind) + 16 * half;
    i8_from = chunk + super_bytes(kind) + 8 * half;
    d = super_bytes(kind) >= 32 ? f16(chunk + 16 * half) : _mm256_setzero_ps();
    dmin = super_bytes(kind) == 64 ? f16(chunk + 32 + 16 * half) : _mm256_setzero_ps();
  }

  /// `part`: of columns 0-15 or 16-31, where a group has two scales.
  PREMISE_INLINE __m256 scale(std::uint32_t group, int part) const {
    const std::byte* p = i8_from + group * scale_bytes(kind) + 16 * part;
    if constexpr (kind == ScaleKind::f16 || kind == ScaleKind::f16_min)
      return f16(f16_from + group * scale_bytes(kind));
    else if constexpr (kind == ScaleKind::super32_min)
      return _mm256_mul_ps(d, _mm256_cvtepi32_ps(u8(p)));
    else if constexpr (kind == ScaleKind::super16_min)
      return _mm256_mul_ps(d, _mm256_cvtepi32_ps(_mm256_and_si256(u8(p), _mm256_set1_epi32(15))));
    else
      return _mm256_mul_ps(d, i8(p));
  }

  PREMISE_INLINE __m256 min(std::uint32_t group, int part) const {
    const std::byte* p = i8_from + group * scale_bytes(kind) + 16 * part;
    if constexpr (kind == ScaleKind::f16_min)
      return _mm256_xor_ps(f16(f16_from + group * scale_bytes(kind) + 32), _mm256_set1_ps(-0.0f));
    else if constexpr (kind == ScaleKind::super32_min)
      return _mm256_mul_ps(dmin, _mm256_cvtepi32_ps(u8(p + 16)));
    else if constexpr (kind == ScaleKind::super16_min)
      return _mm256_mul_ps(dmin, _mm256_cvtepi32_ps(_mm256_srli_epi32(u8(p), 4)));
    else
      return _mm256_setzero_ps();
  }
};

/// Stores the rows of W that exist: 8 sums from row `row` on.
PREMISE_INLINE void store_rows(const PackedMatrix& w, std::uint64_t row, float* y, __m256 sums) {
  if (row + 8 <= w.rows) {
    _mm256_storeu_ps(y + row, sums);
  } else if (row < w.rows) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const auto left = static_cast<int>(w.rows - row);
    _mm256_maskstore_ps(y + row, _mm256_cmpgt_epi32(_mm256_set1_epi32(left), lane), sums);
  }
}

}  // namespace
}  // namespace premise
