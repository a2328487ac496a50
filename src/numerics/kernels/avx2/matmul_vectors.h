// Weights of one group in 256-bit registers: codes and scales of half a panel (8 rows), for every
// layout of contracts/packed_layout.h. Everything here is private to the file that includes it.
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

/// The even (columns 0 and 2) or odd (1 and 3) codes of a quad, as 16-bit lanes.
template <int parity>
PREMISE_INLINE __m256i widened(__m256i quad) {
  if constexpr (parity == 0)
    return _mm256_and_si256(quad, _mm256_set1_epi16(0x00ff));
  else
    return _mm256_srli_epi16(quad, 8);
}

/// sums += products of 16-bit lanes, added in pairs. Exact: two of 255 · 32767 stay below 2^24.
PREMISE_INLINE __m256i dot_pairs(__m256i sums, __m256i words, __m256i activations) {
  return _mm256_add_epi32(sums, _mm256_madd_epi16(words, activations));
}

/// The vectors of one group of half a panel; quad<q>() are the codes of quad q.
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
    if constexpr (layout == Layout::p8) {
      return v[q];
    } else if constexpr (layout == Layout::p4) {
      return nibble<q>();
    } else if constexpr (layout == Layout::t4) {
      const __m256i table =
          _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(iq4_codes)));
      return _mm256_shuffle_epi8(table, nibble<q>());
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
