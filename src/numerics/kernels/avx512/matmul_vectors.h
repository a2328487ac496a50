// Weights of one group in 512-bit registers: codes and scales of 16 rows, for every layout of
// contracts/packed_layout.h. Everything here is private to the file that includes it.
#pragma once

#include "numerics/kernels/avx512/intrinsics.h"
#include "numerics/kernels/contracts/packed_layout.h"
#include "numerics/kernels/contracts/unroll.h"

namespace premise {
namespace {

PREMISE_INLINE __m512i load512(const void* from) { return _mm512_loadu_si512(from); }

/// v with every 16-bit lane shifted so that bit `from` lands on bit `to`. Bits of the neighbouring
/// byte come along: mask afterwards.
template <int from, int to>
PREMISE_INLINE __m512i move_bit(__m512i v) {
  if constexpr (from > to)
    return _mm512_srli_epi16(v, from - to);
  else if constexpr (from < to)
    return _mm512_slli_epi16(v, to - from);
  else
    return v;
}

/// low | (high & mask), in one instruction.
PREMISE_INLINE __m512i or_masked(__m512i low, __m512i high, int mask) {
  return _mm512_ternarylogic_epi32(low, high, _mm512_set1_epi8(static_cast<char>(mask)), 0xf8);
}

/// The even (columns 0 and 2) or odd (1 and 3) codes of a quad, as 16-bit lanes.
template <int parity>
PREMISE_INLINE __m512i widened(__m512i quad) {
  if constexpr (parity == 0)
    return _mm512_and_si512(quad, _mm512_set1_epi16(0x00ff));
  else
    return _mm512_srli_epi16(quad, 8);
}

/// The vectors of one group; quad<q>() are the unsigned codes of quad q.
template <Layout layout>
struct Codes {
  static constexpr int count = static_cast<int>(code_bytes(layout)) / 64;
  __m512i v[count];

  PREMISE_INLINE explicit Codes(const std::byte* from) {
    unroll<0, count>([&]<int i>() PREMISE_INLINE_LAMBDA { v[i] = load512(from + 64 * i); });
  }

  template <int q>
  PREMISE_INLINE __m512i nibble() const {
    return _mm512_and_si512(move_bit<(q < 4 ? 0 : 4), 0>(v[q % 4]), _mm512_set1_epi8(15));
  }

  template <int q>
  PREMISE_INLINE __m512i quad() const {
    if constexpr (layout == Layout::p8) {
      return v[q];
    } else if constexpr (layout == Layout::p4) {
      return nibble<q>();
    } else if constexpr (layout == Layout::t4) {
      const __m512i table =
          _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(iq4_codes)));
      return _mm512_shuffle_epi8(table, nibble<q>());
    } else if constexpr (layout == Layout::p5) {
      return or_masked(nibble<q>(), move_bit<q, 4>(v[4]), 0x10);
    } else if constexpr (layout == Layout::p6) {
      return or_masked(nibble<q>(), move_bit<2 * (q % 4), 4>(v[4 + q / 4]), 0x30);
    } else {
      const __m512i pair =
          _mm512_and_si512(move_bit<2 * (q % 4), 0>(v[q / 4]), _mm512_set1_epi8(3));
      if constexpr (layout == Layout::p2)
        return pair;
      else
        return or_masked(pair, move_bit<q, 2>(v[2]), 0x04);
    }
  }
};

/// The scales of one chunk of 16 rows: S and M of contracts/matmul.h.
template <ScaleKind kind>
struct Scales {
  static constexpr bool halves = scale_columns(kind) == 16;
  static constexpr bool mins = has_min(kind);
  const std::byte* from;
  __m512 d, dmin;

  static PREMISE_INLINE __m512 f16(const std::byte* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static PREMISE_INLINE __m512 i8(const std::byte* p) {
    return _mm512_cvtepi32_ps(
        _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  }
  static PREMISE_INLINE __m512i u8(const std::byte* p) {
    return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }

  PREMISE_INLINE void open(const std::byte* chunk) {
    from = chunk + super_bytes(kind);
    d = super_bytes(kind) >= 32 ? f16(chunk) : _mm512_setzero_ps();
    dmin = super_bytes(kind) == 64 ? f16(chunk + 32) : _mm512_setzero_ps();
  }

  PREMISE_INLINE __m512 scale(std::uint32_t group, int half) const {
    const std::byte* p = from + group * scale_bytes(kind);
    if constexpr (kind == ScaleKind::f16 || kind == ScaleKind::f16_min)
      return f16(p);
    else if constexpr (kind == ScaleKind::super32)
      return _mm512_mul_ps(d, i8(p));
    else if constexpr (kind == ScaleKind::super32_min)
      return _mm512_mul_ps(d, _mm512_cvtepi32_ps(u8(p)));
    else if constexpr (kind == ScaleKind::super16)
      return _mm512_mul_ps(d, i8(p + 16 * half));
    else
      return _mm512_mul_ps(
          d, _mm512_cvtepi32_ps(_mm512_and_si512(u8(p + 16 * half), _mm512_set1_epi32(15))));
  }

  PREMISE_INLINE __m512 min(std::uint32_t group, int half) const {
    const std::byte* p = from + group * scale_bytes(kind);
    if constexpr (kind == ScaleKind::f16_min)
      return _mm512_xor_ps(f16(p + 32), _mm512_set1_ps(-0.0f));
    else if constexpr (kind == ScaleKind::super32_min)
      return _mm512_mul_ps(dmin, _mm512_cvtepi32_ps(u8(p + 16)));
    else if constexpr (kind == ScaleKind::super16_min)
      return _mm512_mul_ps(dmin, _mm512_cvtepi32_ps(_mm512_srli_epi32(u8(p + 16 * half), 4)));
    else
      return _mm512_setzero_ps();
  }
};

}  // namespace
}  // namespace premise
