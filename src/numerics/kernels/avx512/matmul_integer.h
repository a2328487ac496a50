// Multiplication by integer layouts with AVX-512 VNNI. contracts/matmul.h fixes the arithmetic.
//
// Rows lie in lanes: a dot product instruction takes 16 rows and the same activations for all of
// them, so nothing is ever added across lanes.
//
// Few tokens (decoding): straight from the packed bytes, up to 4 tokens a pass; further passes find
// them in the second-level cache. vpdpwssd multiplies words, the even and the odd bytes of a quad
// of codes, by two activations. The memory stream decides, and one stream a thread, prefetched 4
// KiB ahead, is the fastest: on Zen 4 two threads read 8-bit codes of [262144, 640] in 5.3 ms at
// best (9.8 ms with two panels in turns, 5.1 ms without a prefetch), 5-bit codes of [131072, 640]
// in 2.0 ms (3.9, 2.5). Up to about 12 tokens this costs less than unpacking.
//
// More tokens: four panels × 256 columns are unpacked once into bytes and f32 scales, then tiles of
// 3 tokens × 64 rows run over them. vpdpbusd multiplies a quad of codes by four upper bytes of
// activations, and by the four lower ones only in groups that are fine in one of the tokens: of
// ActivationBits::mixed on Gemma 3 270M that is one in four, which leaves 62 % of the instructions.
// (A dot product of words is as many as both bytes take.) Registers: 12 integer sums + 12 f32 sums
// + 3 broadcast activations + 1 weight = 28 of 32; the f32 scales come as memory operands. Cache:
// 16 KiB of bytes, up to 4 KiB of scales and 1.5 KiB of activations stay within a first level of 32
// KiB; sums of 256 tokens between blocks of columns are 64 KiB in the second; a tile prefetches
// the sums and activations of the next, and its share of the packed bytes that are unpacked next.
// Roof: a coarse group of 32 columns is 8 dot products and 2 (with minimums 3) multiplications on
// the same ports, a fine one 16. On a core of a Zen 5, 5-bit codes of [2048, 640] from memory, one
// group in four fine: 13 tokens in 89 us (117 with the packed bytes prefetched all at once), 64 in
// 339 (389); a coarse group of a tile takes 67 cycles where the ports allow 60, and a tile 75 more.
#pragma once

#include "numerics/kernels/avx512/matmul_vectors.h"

namespace premise {
namespace {

constexpr int tile_tokens = 3;
constexpr int tile_panels = 4;
constexpr int direct_tile_tokens = 4;
constexpr std::size_t direct_tokens = 12;  // most that are multiplied straight from packed bytes
constexpr std::uint32_t block_groups = chunk_groups;
constexpr std::size_t block_tokens = 256;
constexpr int prefetch_bytes = 4096;

struct Scratch {
  std::uint8_t codes[block_groups][8][tile_panels][64];  // [group][quad][panel]
  float scale[block_groups][2][tile_panels][16];         // [group][half][panel]
  float min[block_groups][2][tile_panels][16];
  float sums[block_tokens][tile_panels][16];
};

PREMISE_INLINE __m512i broadcast(const std::int16_t* two_codes) {
  std::int32_t pair;
  __builtin_memcpy(&pair, two_codes, sizeof pair);
  return _mm512_set1_epi32(pair);
}

PREMISE_INLINE __m512i broadcast(const std::int8_t* four_codes) {
  std::int32_t quad;
  __builtin_memcpy(&quad, four_codes, sizeof quad);
  return _mm512_set1_epi32(quad);
}

/// Rows of W in panel `panel` as a mask of lanes.
PREMISE_INLINE __mmask16 present_rows(const PackedMatrix& w, std::uint64_t panel) {
  const std::uint64_t left = w.rows - panel * panel_rows;
  return left >= panel_rows ? static_cast<__mmask16>(0xffff)
                            : static_cast<__mmask16>((1u << left) - 1u);
}

template <Layout layout, ScaleKind kind>
struct Integer {
  static constexpr int shift = zero_shift(layout, kind);
  static constexpr int halves = Scales<kind>::halves ? 2 : 1;
  static constexpr int quads = 8 / halves;
  static constexpr bool mins = Scales<kind>::mins;

  static PREMISE_INLINE const std::int32_t* minus_sums(const QuantizedRows& x, std::size_t token) {
    return halves == 2 ? x.minus_sums16 + 2 * token * x.group_stride
                       : x.minus_sums32 + token * x.group_stride;
  }

  // −zero · Σ q / 2^down, where a dot product starts.
  template <int down>
  static PREMISE_INLINE __m512i start(std::int32_t minus_sum) {
    if constexpr (shift == 0) return _mm512_setzero_si512();
    const __m512i sum = _mm512_set1_epi32(minus_sum);
    return shift >= down ? _mm512_slli_epi32(sum, shift - down)
                         : _mm512_srai_epi32(sum, down - shift);
  }

  template <int down>
  static PREMISE_INLINE __m512 add(__m512i dot, __m512 scale, __m512 min, std::int32_t minus_sum,
                                   __m512 a, __m512 acc) {
    __m512 t = _mm512_mul_ps(_mm512_cvtepi32_ps(dot), scale);
    if constexpr (mins) {
      const __m512i sum = _mm512_srai_epi32(_mm512_set1_epi32(minus_sum), down);
      t = _mm512_fmadd_ps(min, _mm512_cvtepi32_ps(sum), t);
    }
    return _mm512_fmadd_ps(t, a, acc);
  }

  // ---- few tokens -----------------------------------------------------------------------------

  template <int tokens>
  static PREMISE_INLINE void direct_group(const std::byte* codes_at, const Scales<kind>& scales,
                                          std::uint32_t g, const QuantizedRows& x,
                                          std::size_t group, __m512 (&acc)[tokens]) {
    const Codes<layout> codes(codes_at);
    unroll<0, halves>([&]<int half>() PREMISE_INLINE_LAMBDA {
      __m512i dot[tokens];
      unroll<0, tokens>([&]<int t>() PREMISE_INLINE_LAMBDA {
        dot[t] = start<0>(minus_sums(x, t)[halves * group + half]);
      });
      unroll<half * quads, (half + 1) * quads>([&]<int q>() PREMISE_INLINE_LAMBDA {
        const __m512i quad = codes.template quad<q>();
        const __m512i even = widened<0>(quad);
        const __m512i odd = widened<1>(quad);
        unroll<0, tokens>([&]<int t>() PREMISE_INLINE_LAMBDA {
          const std::int16_t* q16 = x.codes + t * x.code_stride + group * group_columns + 4 * q;
          dot[t] = _mm512_dpwssd_epi32(dot[t], even, broadcast(q16));
          dot[t] = _mm512_dpwssd_epi32(dot[t], odd, broadcast(q16 + 2));
        });
      });
      const __m512 scale = scales.scale(g, half);
      const __m512 min = scales.min(g, half);
      unroll<0, tokens>([&]<int t>() PREMISE_INLINE_LAMBDA {
        acc[t] = add<0>(dot[t], scale, min, minus_sums(x, t)[halves * group + half],
                        _mm512_set1_ps(x.scales[t * x.group_stride + group]), acc[t]);
      });
    });
  }

  template <int tokens>
  static void direct(const PackedMatrix& w, std::uint64_t panel, const QuantizedRows& x, float* y,
                     std::size_t y_stride) {
    constexpr std::uint32_t chunk_size = chunk_bytes(layout, kind, chunk_groups);
    const std::byte* chunk = w.data + panel * w.panel_bytes;
    const std::size_t groups = w.columns / group_columns;
    __m512 acc[tokens];
    for (auto& sum : acc) sum = _mm512_setzero_ps();
    for (std::size_t first = 0; first < groups; first += chunk_groups, chunk += chunk_size) {
      const auto count =
          static_cast<std::uint32_t>(groups - first < chunk_groups ? groups - first : chunk_groups);
      Scales<kind> scales;
      scales.open(chunk);
      const std::byte* at = chunk + codes_offset(kind, count);
      for (std::uint32_t g = 0; g < count; ++g, at += code_bytes(layout)) {
        unroll<0, Codes<layout>::count>([&]<int line>() PREMISE_INLINE_LAMBDA {
          _mm_prefetch(reinterpret_cast<const char*>(at + prefetch_bytes + 64 * line), _MM_HINT_T0);
        });
        direct_group<tokens>(at, scales, g, x, first + g, acc);
      }
    }
    for (int t = 0; t < tokens; ++t)
      _mm512_mask_storeu_ps(y + t * y_stride + panel * panel_rows, present_rows(w, panel), acc[t]);
  }

  static void direct_tiles(const PackedMatrix& w, std::uint64_t panel, QuantizedRows x,
                           std::size_t count, float* y, std::size_t y_stride) {
    for (; count >= direct_tile_tokens; count -= direct_tile_tokens) {
      direct<direct_tile_tokens>(w, panel, x, y, y_stride);
      x = without_first(x, direct_tile_tokens);
      y += direct_tile_tokens * y_stride;
    }
    switch (count) {
      case 1:
        return direct<1>(w, panel, x, y, y_stride);
      case 2:
        return direct<2>(w, panel, x, y, y_stride);
      case 3:
        return direct<3>(w, panel, x, y, y_stride);
      default:
        return;
    }
  }

  // ---- many tokens ----------------------------------------------------------------------------

  /// Where groups from `first` on begin in a panel; first is a multiple of chunk_groups.
  static PREMISE_INLINE const std::byte* chunk_at(const PackedMatrix& w, std::uint64_t panel,
                                                  std::size_t first) {
    return w.data + panel * w.panel_bytes +
           first / chunk_groups * chunk_bytes(layout, kind, chunk_groups);
  }

  /// The chunks that will be unpacked after these. They come to the second-level cache while the
  /// tiles compute, a few lines before each: all at once they would fill the queue of misses and
  /// hold the tiles up, and a hardware prefetcher loses the stream between two blocks.
  struct Ahead {
    const std::byte* chunks[tile_panels];
    std::uint32_t lines;

    PREMISE_INLINE void fetch(std::uint32_t first, std::uint32_t last) const {
      for (const std::byte* chunk : chunks)
        for (std::uint32_t line = first; line < last; ++line)
          _mm_prefetch(reinterpret_cast<const char*>(chunk + 64 * line), _MM_HINT_T1);
    }
  };

  /// The `count` groups of a chunk into slot `p` of the scratch.
  static void unpack(const std::byte* chunk, std::uint32_t count, int p, Scratch& s) {
    Scales<kind> scales;
    scales.open(chunk);
    const std::byte* at = chunk + codes_offset(kind, count);
    for (std::uint32_t g = 0; g < count; ++g, at += code_bytes(layout)) {
      const Codes<layout> codes(at);
      unroll<0, 8>([&]<int q>() PREMISE_INLINE_LAMBDA {
        _mm512_store_si512(s.codes[g][q][p], codes.template quad<q>());
      });
      for (int half = 0; half < halves; ++half) {
        _mm512_store_ps(s.scale[g][half][p], scales.scale(g, half));
        if constexpr (mins) _mm512_store_ps(s.min[g][half][p], scales.min(g, half));
      }
    }
  }

  /// dot += codes of the quads of a half × four activations each, for every token and panel.
  template <int half, int tokens>
  static PREMISE_INLINE void products(const std::uint8_t (&codes)[8][tile_panels][64],
                                      const std::int8_t* bytes, std::size_t stride,
                                      __m512i (&dot)[tokens][tile_panels]) {
    unroll<half * quads, (half + 1) * quads>([&]<int q>() PREMISE_INLINE_LAMBDA {
      __m512i b[tokens];
      unroll<0, tokens>(
          [&]<int t>() PREMISE_INLINE_LAMBDA { b[t] = broadcast(bytes + t * stride + 4 * q); });
      unroll<0, tile_panels>([&]<int p>() PREMISE_INLINE_LAMBDA {
        const __m512i w = load512(codes[q][p]);
        unroll<0, tokens>([&]<int t>() PREMISE_INLINE_LAMBDA {
          dot[t][p] = _mm512_dpbusd_epi32(dot[t][p], w, b[t]);
        });
      });
    });
  }

  /// Half `half` of group `g`. Where no token has lower bytes the integers stay 256 times smaller
  /// and the activation scale takes the factor: powers of two change no rounding.
  template <bool fine, int half, int tokens>
  static PREMISE_INLINE void add_half(const Scratch& s, std::uint32_t g, const QuantizedRows& x,
                                      const std::int32_t* minus,
                                      __m512 (&acc)[tokens][tile_panels]) {
    constexpr int down = fine ? 0 : 8;
    const std::size_t minus_stride = halves * x.group_stride;
    const std::size_t bytes = g * group_columns;
    __m512i dot[tokens][tile_panels];
    unroll<0, tokens>([&]<int t>() PREMISE_INLINE_LAMBDA {
      const __m512i from = fine ? _mm512_setzero_si512() : start<down>(minus[t * minus_stride]);
      for (__m512i& sum : dot[t]) sum = from;
    });
    products<half>(s.codes[g], x.high + bytes, x.byte_stride, dot);
    if constexpr (fine) {
      unroll<0, tokens>([&]<int t>() PREMISE_INLINE_LAMBDA {
        const __m512i from = start<0>(minus[t * minus_stride]);
        for (__m512i& sum : dot[t]) sum = _mm512_add_epi32(_mm512_slli_epi32(sum, 8), from);
      });
      products<half>(s.codes[g], x.low + bytes, x.byte_stride, dot);
    }
    unroll<0, tokens>([&]<int t>() PREMISE_INLINE_LAMBDA {
      __m512 a = _mm512_set1_ps(x.scales[t * x.group_stride + g]);
      if constexpr (!fine) a = _mm512_mul_ps(a, _mm512_set1_ps(256.0f));
      unroll<0, tile_panels>([&]<int p>() PREMISE_INLINE_LAMBDA {
        acc[t][p] =
            add<down>(dot[t][p], _mm512_load_ps(s.scale[g][half][p]),
                      _mm512_load_ps(s.min[g][half][p]), minus[t * minus_stride], a, acc[t][p]);
      });
    });
  }

  /// Where the sums of a block of columns come from and go to: the first block begins with zero,
  /// the last one writes y. Blocks between hand them on in the scratch. A matrix of 640 columns has
  /// three blocks, and clearing, adding up and copying all of it there cost a tenth of its time.
  struct Sums {
    float (*kept)[tile_panels][16];  // [token]
    float* y;
    std::size_t y_stride;
    const __mmask16* present;  // [tile_panels]: rows of W that exist
    bool first, last;

    PREMISE_INLINE Sums without_first(std::size_t tokens) const {
      return {kept + tokens, y + tokens * y_stride, y_stride, present, first, last};
    }
    PREMISE_INLINE __m512 open(int t, int p) const {
      return first ? _mm512_setzero_ps() : _mm512_load_ps(kept[t][p]);
    }
    PREMISE_INLINE void close(int t, int p, __m512 sum) const {
      if (last) {
        _mm512_mask_storeu_ps(y + t * y_stride + p * panel_rows, present[p], sum);
      } else {
        _mm512_store_ps(kept[t][p], sum);
      }
    }
  };

  /// Upper bytes and sums of `tokens` tokens; there may be fewer.
  template <int tokens>
  static PREMISE_INLINE void prefetch(const QuantizedRows& x, const Sums& sums) {
    constexpr int lines = block_groups * group_columns / 64;
    unroll<0, tokens>([&]<int t>() PREMISE_INLINE_LAMBDA {
      const auto* bytes = reinterpret_cast<const char*>(x.high + t * x.byte_stride);
      for (int line = 0; line < lines; ++line) _mm_prefetch(bytes + 64 * line, _MM_HINT_T0);
      if (sums.first) return;
      for (int p = 0; p < tile_panels; ++p)
        _mm_prefetch(reinterpret_cast<const char*>(sums.kept[t][p]), _MM_HINT_T0);
    });
  }

  /// The first `tokens` tokens of x × the panels and groups in the scratch; x begins with those
  /// groups.
  template <int tokens>
  static void tile(const Scratch& s, const QuantizedRows& x, std::uint32_t count,
                   const Sums& sums) {
    __m512 acc[tokens][tile_panels];
    unroll<0, tokens>([&]<int t>() PREMISE_INLINE_LAMBDA {
      unroll<0, tile_panels>([&]<int p>() PREMISE_INLINE_LAMBDA { acc[t][p] = sums.open(t, p); });
    });
    prefetch<tokens>(without_first(x, tokens), sums.without_first(tokens));
    std::uint32_t fine = 0;  // groups with lower bytes in any of the tokens
    for (int t = 0; t < tokens; ++t) fine |= x.fine[t * x.chunk_stride];
    const std::int32_t* minus = minus_sums(x, 0);
    for (std::uint32_t g = 0; g < count; ++g) {
      unroll<0, halves>([&]<int half>() PREMISE_INLINE_LAMBDA {
        if (fine >> g & 1u) {
          add_half<true, half>(s, g, x, minus + half, acc);
        } else {
          add_half<false, half>(s, g, x, minus + half, acc);
        }
      });
      minus += halves;
    }
    unroll<0, tokens>([&]<int t>() PREMISE_INLINE_LAMBDA {
      unroll<0, tile_panels>([&]<int p>() PREMISE_INLINE_LAMBDA { sums.close(t, p, acc[t][p]); });
    });
  }

  static void tiles(const Scratch& s, QuantizedRows x, std::size_t count, std::uint32_t groups,
                    const Ahead& ahead, Sums sums) {
    const auto whole = static_cast<std::uint32_t>(count / tile_tokens);
    for (std::uint32_t i = 0; i < whole; ++i) {
      ahead.fetch(ahead.lines * i / whole, ahead.lines * (i + 1) / whole);
      tile<tile_tokens>(s, x, groups, sums);
      x = without_first(x, tile_tokens);
      sums = sums.without_first(tile_tokens);
    }
    if (count % tile_tokens == 1) tile<1>(s, x, groups, sums);
    if (count % tile_tokens == 2) tile<2>(s, x, groups, sums);
  }

  /// `panels` panels (at most tile_panels) from `panel` on × `count` tokens from `token`.
  static void together(const PackedMatrix& w, std::uint64_t panel, std::uint64_t panels,
                       const QuantizedRows& x, std::size_t token, std::size_t count, float* y,
                       std::size_t y_stride, Scratch& s) {
    __mmask16 present[tile_panels];
    for (std::uint64_t p = 0; p < tile_panels; ++p)
      present[p] = p < panels ? present_rows(w, panel + p) : __mmask16{0};
    Sums sums{s.sums, y + token * y_stride + panel * panel_rows, y_stride, present, false, false};
    const std::size_t groups = w.columns / group_columns;
    for (std::size_t first = 0; first < groups; first += block_groups) {
      const bool last = groups - first <= block_groups;
      const auto block = static_cast<std::uint32_t>(last ? groups - first : block_groups);
      const std::size_t next = last ? 0 : first + block_groups;
      Ahead ahead{{}, chunk_bytes(layout, kind, block_groups) / 64};
      for (std::uint64_t p = 0; p < tile_panels; ++p) {
        const std::uint64_t from = panel + (p < panels ? p : 0);  // what lacks is not written
        unpack(chunk_at(w, from, first), block, static_cast<int>(p), s);
        ahead.chunks[p] = chunk_at(w, from + (last ? tile_panels : 0), next);
      }
      sums.first = first == 0;
      sums.last = last;
      tiles(s, without_groups(without_first(x, token), first), count, block, ahead, sums);
    }
  }

  static void run(const PackedMatrix& w, std::uint64_t begin, std::uint64_t end,
                  const QuantizedRows& x, std::size_t row_count, float* y, std::size_t y_stride,
                  void* scratch) {
    if (row_count <= direct_tokens) {
      for (std::uint64_t panel = begin; panel < end; ++panel)
        direct_tiles(w, panel, x, row_count, y, y_stride);
      return;
    }
    Scratch& s = *static_cast<Scratch*>(scratch);
    for (std::size_t token = 0; token < row_count; token += block_tokens) {
      const std::size_t left = row_count - token;
      const std::size_t count = left < block_tokens ? left : block_tokens;
      for (std::uint64_t panel = begin; panel < end; panel += tile_panels)
        together(w, panel, end - panel < tile_panels ? end - panel : tile_panels, x, token, count,
                 y, y_stride, s);
    }
  }
};

/// The kernel of a layout: one body for each kind of scales that occurs with it.
template <Layout layout, ScaleKind... kinds>
void run_layout(const PackedMatrix& w, std::uint64_t begin, std::uint64_t end,
                const Activations& input, std::size_t row_count, float* y, std::size_t y_stride,
                void* scratch) {
  (void)((w.scales == kinds && (Integer<layout, kinds>::run(w, begin, end, input.quantized,
                                                            row_count, y, y_stride, scratch),
                                true)) ||
         ...);
}

}  // namespace
}  // namespace premise
