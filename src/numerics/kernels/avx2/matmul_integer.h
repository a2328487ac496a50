// Multiplication by integer layouts with AVX2 (no VNNI). contracts/matmul.h fixes the arithmetic.
//
// Few tokens (up to 4, decoding): straight from the packed bytes, half a panel at a time, so that a
// group's 8 quads stay in registers for all tokens. vpmaddwd multiplies 16 words (8 rows × 2
// columns) by 2 activations, the same for all rows.
//
// More tokens: a panel × 512 columns is unpacked once, with f32 scales, then tiles of 3 tokens × 16
// rows run over it. avx2/tile_products.h has how they multiply: codes of up to six bits as bytes (8
// KiB), others as words (16 KiB). The 6 f32 sums, touched once a group, may live in memory.
#pragma once

#include "numerics/kernels/avx2/tile_products.h"

namespace premise {
namespace {

constexpr int direct_tokens = 4;
constexpr std::uint32_t block_groups = 2 * chunk_groups;
constexpr std::size_t block_tokens = 256;
constexpr int prefetch_bytes = 2048;

struct Scratch {
  std::uint8_t codes[block_groups * words_of_group];  // [group], as TileProducts has them
  float scale[block_groups][2][2][8];                 // [group][part][half panel]
  float min[block_groups][2][2][8];
  float sums[block_tokens][2][8];
};

template <Layout layout, ScaleKind kind>
struct Integer {
  using Products = TileProducts<layout, kind>;
  static constexpr int shift = zero_shift(layout, kind);
  static constexpr int parts = Scales<kind>::halves ? 2 : 1;
  static constexpr int quads = 8 / parts;
  static constexpr bool mins = Scales<kind>::mins;

  static PREMISE_INLINE const std::int32_t* minus_sums(const QuantizedRows& x, std::size_t token) {
    return parts == 2 ? x.minus_sums16 + 2 * token * x.group_stride
                      : x.minus_sums32 + token * x.group_stride;
  }

  // The minimum's share may be as many times smaller as `dot` is.
  template <int down>
  static PREMISE_INLINE __m256 add(__m256i dot, __m256 scale, __m256 min, std::int32_t minus_sum,
                                   float a, __m256 acc) {
    __m256 t = _mm256_mul_ps(_mm256_cvtepi32_ps(dot), scale);
    if constexpr (mins)
      t = _mm256_fmadd_ps(min, _mm256_cvtepi32_ps(_mm256_set1_epi32(minus_sum >> down)), t);
    return _mm256_fmadd_ps(t, _mm256_set1_ps(a), acc);
  }

  // ---- few tokens -----------------------------------------------------------------------------

  template <int tokens>
  static PREMISE_INLINE void direct_group(const Codes<layout>& codes, const Scales<kind>& scales,
                                          std::uint32_t g, const QuantizedRows& x,
                                          std::size_t group, __m256 (&acc)[tokens]) {
    __m256i quad[8];
    unroll<0, 8>([&]<int q>() PREMISE_INLINE_LAMBDA { quad[q] = codes.template quad<q>(); });
    unroll<0, parts>([&]<int part>() PREMISE_INLINE_LAMBDA {
      const __m256 scale = scales.scale(g, part);
      const __m256 min = scales.min(g, part);
      unroll<0, tokens>([&]<int t>() PREMISE_INLINE_LAMBDA {
        const std::int16_t* q16 = x.codes + t * x.code_stride + group * group_columns;
        const std::int32_t minus_sum = minus_sums(x, t)[parts * group + part];
        __m256i dot = zero_part<shift, 0>(minus_sum);
        unroll<part * quads, (part + 1) * quads>([&]<int q>() PREMISE_INLINE_LAMBDA {
          dot = dot_pairs(dot, widened<0>(quad[q]), broadcast(q16 + 4 * q));
          dot = dot_pairs(dot, widened<1>(quad[q]), broadcast(q16 + 4 * q + 2));
        });
        acc[t] = add<0>(dot, scale, min, minus_sum, x.scales[t * x.group_stride + group], acc[t]);
      });
    });
  }

  template <int tokens>
  static void direct(const PackedMatrix& w, std::uint64_t panel, const QuantizedRows& x, float* y,
                     std::size_t y_stride) {
    constexpr std::uint32_t chunk_size = chunk_bytes(layout, kind, chunk_groups);
    const std::byte* chunk = w.data + panel * w.panel_bytes;
    const std::size_t groups = w.columns / group_columns;
    __m256 acc[2][tokens];
    for (auto& half : acc)
      for (auto& sum : half) sum = _mm256_setzero_ps();
    for (std::size_t first = 0; first < groups; first += chunk_groups, chunk += chunk_size) {
      const auto count =
          static_cast<std::uint32_t>(groups - first < chunk_groups ? groups - first : chunk_groups);
      Scales<kind> scales[2];
      scales[0].open(chunk, 0);
      scales[1].open(chunk, 1);
      const std::byte* at = chunk + codes_offset(kind, count);
      for (std::uint32_t g = 0; g < count; ++g, at += code_bytes(layout)) {
        unroll<0, Codes<layout>::count>([&]<int line>() PREMISE_INLINE_LAMBDA {
          _mm_prefetch(reinterpret_cast<const char*>(at + prefetch_bytes + 64 * line), _MM_HINT_T0);
        });
        direct_group<tokens>(Codes<layout>(at, 0), scales[0], g, x, first + g, acc[0]);
        direct_group<tokens>(Codes<layout>(at, 1), scales[1], g, x, first + g, acc[1]);
      }
    }
    for (int t = 0; t < tokens; ++t)
      for (unsigned half = 0; half < 2; ++half)
        store_rows(w, panel * panel_rows + 8 * half, y + t * y_stride, acc[half][t]);
  }

  // ---- many tokens ----------------------------------------------------------------------------

  /// Groups [first, first + count) of a panel into the scratch; first is a multiple of
  /// chunk_groups.
  static void unpack(const PackedMatrix& w, std::uint64_t panel, std::size_t first,
                     std::uint32_t count, Scratch& s) {
    const std::byte* chunk = w.data + panel * w.panel_bytes +
                             first / chunk_groups * chunk_bytes(layout, kind, chunk_groups);
    for (std::uint32_t begin = 0; begin < count; begin += chunk_groups) {
      const std::uint32_t groups = count - begin < chunk_groups ? count - begin : chunk_groups;
      // The next block lies behind this one, in the next panel too. It comes meanwhile: while tiles
      // compute, a hardware prefetcher loses the stream.
      constexpr std::uint32_t block_bytes = 2 * chunk_bytes(layout, kind, chunk_groups);
      for (std::uint32_t line = 0; line < chunk_bytes(layout, kind, groups); line += 64)
        _mm_prefetch(reinterpret_cast<const char*>(chunk + block_bytes + line), _MM_HINT_T1);
      for (int half = 0; half < 2; ++half) {
        Scales<kind> scales;
        scales.open(chunk, half);
        const std::byte* at = chunk + codes_offset(kind, groups);
        for (std::uint32_t g = 0; g < groups; ++g, at += code_bytes(layout)) {
          const Codes<layout> codes(at, half);
          unroll<0, 8>([&]<int q>() PREMISE_INLINE_LAMBDA {
            Products::template unpack<q>(codes.template quad<q>(), half,
                                         s.codes + (begin + g) * Products::group_bytes);
          });
          for (int part = 0; part < parts; ++part) {
            _mm256_store_ps(s.scale[begin + g][part][half], scales.scale(g, part));
            if constexpr (mins) _mm256_store_ps(s.min[begin + g][part][half], scales.min(g, part));
          }
        }
      }
      chunk += chunk_bytes(layout, kind, groups);
    }
  }

  /// Where the sums of a block of columns come from and go to: the first block begins with zero,
  /// the last one writes y. Blocks between hand them on in the scratch.
  struct Sums {
    float (*kept)[2][8];  // [token]
    float* y;
    std::size_t y_stride;
    bool first, last;
  };

  /// Part `part` of group `g` of a tile. Where no token has lower bytes the integers stay 256 times
  /// smaller and the activation scale takes the factor: powers of two change no rounding.
  template <bool fine, int part, int tokens>
  static PREMISE_INLINE void add_part(const Scratch& s, std::uint32_t g, const QuantizedRows& x,
                                      const std::int32_t* minus, __m256 (&acc)[tokens][2]) {
    constexpr int down = fine ? 0 : 8;
    const std::size_t minus_stride = parts * x.group_stride;
    __m256i dot[tokens][2];
    Products::template dots<fine, part>(s.codes + g * Products::group_bytes, x, g, minus,
                                        minus_stride, dot);
    unroll<0, tokens>([&]<int t>() PREMISE_INLINE_LAMBDA {
      const float a = x.scales[t * x.group_stride + g] * (fine ? 1.0f : 256.0f);
      unroll<0, 2>([&]<int half>() PREMISE_INLINE_LAMBDA {
        acc[t][half] = add<down>(dot[t][half], _mm256_load_ps(s.scale[g][part][half]),
                                 _mm256_load_ps(s.min[g][part][half]), minus[t * minus_stride], a,
                                 acc[t][half]);
      });
    });
  }

  /// The first `tokens` tokens of x × the panel in the scratch × its groups; x begins with those.
  template <int tokens>
  static void tile(const Scratch& s, const QuantizedRows& x, std::uint32_t count,
                   const PackedMatrix& w, std::uint64_t panel, const Sums& sums) {
    __m256 acc[tokens][2];
    for (int t = 0; t < tokens; ++t)
      for (int half = 0; half < 2; ++half)
        acc[t][half] = sums.first ? _mm256_setzero_ps() : _mm256_load_ps(sums.kept[t][half]);
    const std::int32_t* minus = minus_sums(x, 0);
    std::uint32_t fine = 0;  // groups of a chunk with lower bytes in any of the tokens
    for (std::uint32_t g = 0; g < count; ++g, fine >>= 1) {
      if (g % chunk_groups == 0)
        for (int t = 0; t < tokens; ++t) fine |= x.fine[t * x.chunk_stride + g / chunk_groups];
      unroll<0, parts>([&]<int part>() PREMISE_INLINE_LAMBDA {
        if ((fine & 1u) != 0)
          add_part<true, part>(s, g, x, minus, acc);
        else
          add_part<!Products::bytes, part>(s, g, x, minus, acc);
        ++minus;
      });
    }
    for (int t = 0; t < tokens; ++t)
      for (unsigned half = 0; half < 2; ++half)
        if (sums.last)
          store_rows(w, panel * panel_rows + 8 * half, sums.y + t * sums.y_stride, acc[t][half]);
        else
          _mm256_store_ps(sums.kept[t][half], acc[t][half]);
  }

  /// One panel × tokens [token, token + count), at most block_tokens.
  static void panel_block(const PackedMatrix& w, std::uint64_t panel, const QuantizedRows& x,
                          std::size_t token, std::size_t count, float* y, std::size_t y_stride,
                          Scratch& s) {
    const std::size_t groups = w.columns / group_columns;
    for (std::size_t first = 0; first < groups; first += block_groups) {
      const bool last = groups - first <= block_groups;
      const auto block = static_cast<std::uint32_t>(last ? groups - first : block_groups);
      unpack(w, panel, first, block, s);
      QuantizedRows rows = without_groups(without_first(x, token), first);
      Sums sums{s.sums, y + token * y_stride, y_stride, first == 0, last};
      for (std::size_t left = count; left > 0;) {
        const std::size_t tokens = left < tile_tokens ? left : tile_tokens;
        if (tokens == 3) tile<3>(s, rows, block, w, panel, sums);
        if (tokens == 2) tile<2>(s, rows, block, w, panel, sums);
        if (tokens == 1) tile<1>(s, rows, block, w, panel, sums);
        rows = without_first(rows, tokens);
        sums.kept += tokens;
        sums.y += tokens * y_stride;
        left -= tokens;
      }
    }
  }

  template <int tokens>
  static void direct_panels(const PackedMatrix& w, std::uint64_t begin, std::uint64_t end,
                            const QuantizedRows& x, float* y, std::size_t y_stride) {
    for (std::uint64_t panel = begin; panel < end; ++panel)
      direct<tokens>(w, panel, x, y, y_stride);
  }

  static void run(const PackedMatrix& w, std::uint64_t begin, std::uint64_t end,
                  const QuantizedRows& x, std::size_t row_count, float* y, std::size_t y_stride,
                  void* scratch) {
    switch (row_count) {
      case 1:
        return direct_panels<1>(w, begin, end, x, y, y_stride);
      case 2:
        return direct_panels<2>(w, begin, end, x, y, y_stride);
      case 3:
        return direct_panels<3>(w, begin, end, x, y, y_stride);
      case direct_tokens:
        return direct_panels<direct_tokens>(w, begin, end, x, y, y_stride);
      default:
        break;
    }
    Scratch& s = *static_cast<Scratch*>(scratch);
    for (std::size_t token = 0; token < row_count; token += block_tokens) {
      const std::size_t left = row_count - token;
      const std::size_t count = left < block_tokens ? left : block_tokens;
      for (std::uint64_t panel = begin; panel < end; ++panel)
        panel_block(w, panel, x, token, count, y, y_stride, s);
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
