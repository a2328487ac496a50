// How the tiles of AVX2 multiply one group of 32 columns × 16 rows by a few tokens: exact integers,
// in one of two ways.
//
//   bytes  codes of up to six bits. vpmaddubsw multiplies 32 codes (8 rows × 4 columns) by 4 upper
//          bytes of activations and adds pairs into words of 16 bits, of which 2 (six bits), 4
//          (five) or 8 (four) more fit before vpmaddwd has to widen them. Lower bytes are
//          multiplied only in groups that are fine in one of the tokens. 18 instructions for 8 rows
//          and a token where words take 32.
//   words  codes of eight bits, two products of which overflow 16 bits: vpmaddwd multiplies the
//          even and the odd codes of a quad by two activations each, all of their sixteen bits.
#pragma once

#include "numerics/kernels/avx2/matmul_vectors.h"

namespace premise {
namespace {

constexpr int tile_tokens = 3;
constexpr std::uint32_t words_of_group = 8 * 2 * 64;  // bytes of a group that is kept as words

PREMISE_INLINE __m256i broadcast(const std::int16_t* two_codes) {
  std::int32_t pair;
  __builtin_memcpy(&pair, two_codes, sizeof pair);
  return _mm256_set1_epi32(pair);
}

PREMISE_INLINE __m256i broadcast(const std::int8_t* four_codes) {
  std::int32_t quad;
  __builtin_memcpy(&quad, four_codes, sizeof quad);
  return _mm256_set1_epi32(quad);
}

/// −zero · Σ q / 2^down, where a dot product starts.
template <int shift, int down>
PREMISE_INLINE __m256i zero_part(std::int32_t minus_sum) {
  if constexpr (shift == 0) return _mm256_setzero_si256();
  const __m256i sum = _mm256_set1_epi32(minus_sum);
  return shift >= down ? _mm256_slli_epi32(sum, shift - down)
                       : _mm256_srai_epi32(sum, down - shift);
}

/// The largest code of a layout.
constexpr int largest_code(Layout layout) {
  switch (layout) {
    case Layout::p2:
      return 3;
    case Layout::p3:
      return 7;
    case Layout::p4:
      return 15;
    case Layout::p5:
      return 31;
    case Layout::p6:
      return 63;
    default:
      return 255;
  }
}

template <Layout layout, ScaleKind kind>
struct TileProducts {
  static constexpr bool bytes = largest_code(layout) < 64;
  static constexpr std::uint32_t group_bytes = bytes ? words_of_group / 2 : words_of_group;
  static constexpr int shift = zero_shift(layout, kind);
  static constexpr int quads = Scales<kind>::halves ? 4 : 8;  // of a part, which has one scale

  /// Quad `q` of half a panel into a group of the scratch: [quad][half panel][32] bytes, or
  /// [quad][even, odd][half panel][16] words.
  template <int q>
  static PREMISE_INLINE void unpack(__m256i quad, int half, std::uint8_t* group) {
    const auto store = [&](int line, __m256i codes) PREMISE_INLINE_LAMBDA {
      _mm256_store_si256(reinterpret_cast<__m256i*>(group + 64 * line + 32 * half), codes);
    };
    if constexpr (bytes) {
      store(q, quad);
    } else {
      store(2 * q, widened<0>(quad));
      store(2 * q + 1, widened<1>(quad));
    }
  }

  /// dot += codes of the quads of a part × the bytes of activations at `x`, for every token.
  template <int part, int tokens>
  static PREMISE_INLINE void add_bytes(const std::uint8_t* group, const std::int8_t* x,
                                       std::size_t stride, __m256i (&dot)[tokens][2]) {
    // A pair of products is at most 2 · 128 times the largest code.
    constexpr int most = 32767 / (256 * largest_code(layout));
    constexpr int run = most < quads ? (most == 2 ? 2 : 4) : quads;
    unroll<0, quads / run>([&]<int r>() PREMISE_INLINE_LAMBDA {
      __m256i sums[tokens][2];
      unroll<0, run>([&]<int i>() PREMISE_INLINE_LAMBDA {
        constexpr int q = part * quads + r * run + i;
        const __m256i w[2] = {load256(group + 64 * q), load256(group + 64 * q + 32)};
        unroll<0, tokens>([&]<int t>() PREMISE_INLINE_LAMBDA {
          const __m256i b = broadcast(x + t * stride + 4 * q);
          unroll<0, 2>([&]<int half>() PREMISE_INLINE_LAMBDA {
            const __m256i pairs = _mm256_maddubs_epi16(w[half], b);
            sums[t][half] = i == 0 ? pairs : _mm256_add_epi16(sums[t][half], pairs);
          });
        });
      });
      unroll<0, tokens>([&]<int t>() PREMISE_INLINE_LAMBDA {
        unroll<0, 2>([&]<int half>() PREMISE_INLINE_LAMBDA {
          dot[t][half] = dot_pairs(dot[t][half], sums[t][half], _mm256_set1_epi16(1));
        });
      });
    });
  }

  template <int part, int tokens>
  static PREMISE_INLINE void add_words(const std::uint8_t* group, const std::int16_t* x,
                                       std::size_t stride, __m256i (&dot)[tokens][2]) {
    unroll<2 * part * quads, 2 * (part + 1) * quads>([&]<int line>() PREMISE_INLINE_LAMBDA {
      const __m256i w[2] = {load256(group + 64 * line), load256(group + 64 * line + 32)};
      unroll<0, tokens>([&]<int t>() PREMISE_INLINE_LAMBDA {
        const __m256i b = broadcast(x + t * stride + 2 * line);
        dot[t][0] = dot_pairs(dot[t][0], w[0], b);
        dot[t][1] = dot_pairs(dot[t][1], w[1], b);
      });
    });
  }

  /// dot = Σ (code − zero) · q of part `part` of group `g`, the codes of which are at `group`;
  /// 256 times smaller where it is not fine. minus[t · minus_stride] is −Σ q of the part.
  template <bool fine, int part, int tokens>
  static PREMISE_INLINE void dots(const std::uint8_t* group, const QuantizedRows& x,
                                  std::uint32_t g, const std::int32_t* minus,
                                  std::size_t minus_stride, __m256i (&dot)[tokens][2]) {
    static_assert(bytes || fine);
    constexpr int down = fine ? 0 : 8;
    const std::size_t column = g * group_columns;
    unroll<0, tokens>([&]<int t>() PREMISE_INLINE_LAMBDA {
      dot[t][0] = dot[t][1] =
          bytes && fine ? _mm256_setzero_si256() : zero_part<shift, down>(minus[t * minus_stride]);
    });
    if constexpr (!bytes) {
      add_words<part>(group, x.codes + column, x.code_stride, dot);
      return;
    }
    add_bytes<part>(group, x.high + column, x.byte_stride, dot);
    if constexpr (fine) {
      unroll<0, tokens>([&]<int t>() PREMISE_INLINE_LAMBDA {
        const __m256i from = zero_part<shift, 0>(minus[t * minus_stride]);
        for (__m256i& sum : dot[t]) sum = _mm256_add_epi32(_mm256_slli_epi32(sum, 8), from);
      });
      add_bytes<part>(group, x.low + column, x.byte_stride, dot);
    }
  }
};

}  // namespace
}  // namespace premise
