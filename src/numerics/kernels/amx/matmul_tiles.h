// Multiplication on tiles of bf16, for every layout: batches and prompts on AMX.
//
// A tile holds 16 tokens × 32 columns of activations (contracts/matmul.h, TileRows), 32 columns ×
// 16 rows of W in pairs of columns ([column / 2][row][2]), or 16 × 16 sums in f32. Two of each make
// a product of 32 tokens × 32 rows: 4 loads for 4 products, and no register is left. One tdpbf16ps
// takes 16 cycles, one load from the first-level cache 8, so that the loads hide behind the
// products.
//
//   for 512 tokens                                    (sums: 64 KiB for two panels)
//     for 8 pairs of panels                           (sums: 512 KiB, in the second-level cache)
//       for 512 columns                               (activations of 512 tokens: 512 KiB, there
//       too)
//         for each pair of panels
//           decode them into 32 KiB of bf16           (they stay in a first-level cache of 48 KiB)
//           for 32 tokens: load sums, 16 steps of 4 products, store sums
//
// Decoding costs four to five instructions for 16 weights, some 75 cycles for a tile of them, and
// is repaid over the tokens; loading and storing sums takes about 100 of 1,100 cycles. Scales are
// multiplied into the weights, never into sums: f32(code − zero) · S, less M, is exact or rounded
// once to f32, then to bf16 (nearest, ties to even).
//
// A result is the sum over ascending steps of 32 columns, whatever the other tokens, the panels of
// the call and the number of its threads are.
#pragma once

#include "numerics/kernels/amx/tiles.h"
#include "numerics/kernels/avx512/matmul_vectors.h"

namespace premise {
namespace {

constexpr std::size_t block_tokens = 512;
constexpr std::size_t block_steps = 16;  // of 32 columns; a multiple of the groups of a chunk
constexpr std::size_t group_pairs = 8;

struct TileScratch {
  alignas(64) std::uint16_t weights[block_steps][2][tile_bytes / 2];
  alignas(64) float sums[group_pairs][block_tokens / 16][2][tile_rows][16];
};
static_assert(block_steps % chunk_groups == 0);

/// Row of a tile: columns k (even) and k + 1 of 16 rows of W, rounded.
PREMISE_INLINE void put_pair(std::uint16_t* to, __m512 even, __m512 odd) {
  alignas(64) static constexpr std::uint16_t order[32] = {
      0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
      8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  const __m512i both = (__m512i)_mm512_cvtne2ps_pbh(odd, even);
  _mm512_store_si512(to, _mm512_permutexvar_epi16(_mm512_load_si512(order), both));
}

/// Weights of the integer layouts.
template <Layout layout, ScaleKind kind>
struct TileWeights {
  /// Columns [32 · first, 32 · (first + count)) of a panel; `first` begins a chunk.
  static void decode(const PackedMatrix& w, std::uint64_t panel, std::size_t first,
                     std::size_t count, int half, TileScratch& s) {
    const std::byte* chunk = w.data + panel * w.panel_bytes +
                             first / chunk_groups * chunk_bytes(layout, kind, chunk_groups);
    std::size_t left = w.columns / group_columns - first;
    for (std::size_t step = 0; step < count;) {
      const auto groups = static_cast<std::uint32_t>(left < chunk_groups ? left : chunk_groups);
      Scales<kind> scales;
      scales.open(chunk);
      const std::byte* codes = chunk + codes_offset(kind, groups);
      for (std::uint32_t g = 0; g < groups && step < count; ++g, ++step)
        group(codes + g * code_bytes(layout), scales, g, s.weights[step][half]);
      chunk += chunk_bytes(layout, kind, groups);
      left -= groups;
    }
  }

 private:
  static constexpr int zero = zero_shift(layout, kind) == 0 ? 0 : 1 << zero_shift(layout, kind);

  /// Column c of a quad as numbers, one lane a row: one instruction and a conversion.
  template <int c>
  static PREMISE_INLINE __m512 codes_of(__m512i quad) {
    __m512i code;
    if constexpr (c == 0)
      code = _mm512_and_si512(quad, _mm512_set1_epi32(255));
    else if constexpr (c == 3)
      code = _mm512_srli_epi32(quad, 24);
    else
      code = _mm512_shuffle_epi8(
          quad, _mm512_broadcast_i32x4(_mm_setr_epi8(c, -1, -1, -1, c + 4, -1, -1, -1, c + 8, -1,
                                                     -1, -1, c + 12, -1, -1, -1)));
    return _mm512_cvtepi32_ps(code);
  }

  // (code − zero) · S as code · S − zero · S, rounded once: zero is a power of two, so that zero ·
  // S is exact.
  static void group(const std::byte* from, const Scales<kind>& scales, std::uint32_t g,
                    std::uint16_t* to) {
    const Codes<layout> codes(from);
    unroll<0, 8>([&]<int q>() PREMISE_INLINE_LAMBDA {
      constexpr int half = has_halves ? q / 4 : 0;
      const __m512 scale = scales.scale(g, half);
      const __m512 less = has_min(kind)
                              ? scales.min(g, half)
                              : _mm512_mul_ps(scale, _mm512_set1_ps(static_cast<float>(zero)));
      const __m512i quad = codes.template quad<q>();
      const auto weight = [&](__m512 code)
                              PREMISE_INLINE_LAMBDA { return _mm512_fmsub_ps(code, scale, less); };
      put_pair(to + 32 * (2 * q), weight(codes_of<0>(quad)), weight(codes_of<1>(quad)));
      put_pair(to + 32 * (2 * q + 1), weight(codes_of<2>(quad)), weight(codes_of<3>(quad)));
    });
  }

  static constexpr bool has_halves = scale_columns(kind) == 16;
};

/// Weights that are plain numbers; columns that do not exist are zero.
template <Layout layout>
struct TileWeights<layout, ScaleKind::none> {
  static void decode(const PackedMatrix& w, std::uint64_t panel, std::size_t first,
                     std::size_t count, int half, TileScratch& s) {
    const std::byte* from = w.data + panel * w.panel_bytes;
    for (std::size_t step = 0; step < count; ++step)
      for (std::size_t pair = 0; pair < 16; ++pair) {
        const std::size_t k = 32 * (first + step) + 2 * pair;
        const __m512 even = k < w.columns ? column(from, k) : _mm512_setzero_ps();
        const __m512 odd = k + 1 < w.columns ? column(from, k + 1) : _mm512_setzero_ps();
        put_pair(s.weights[step][half] + 32 * pair, even, odd);
      }
  }

 private:
  static PREMISE_INLINE __m512 column(const std::byte* from, std::size_t k) {
    if constexpr (layout == Layout::f32) {
      return _mm512_loadu_ps(from + k * 64);
    } else {
      const __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + k * 32));
      if constexpr (layout == Layout::f16)
        return _mm512_cvtph_ps(half);
      else
        return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
    }
  }
};

template <typename Tiles, Layout layout, ScaleKind kind>
struct TileProduct {
  /// 16 · a tokens × b panels over `steps` steps of 32 columns. `x` is the tile of the first token
  /// and step.
  template <int a, int b>
  static PREMISE_INLINE void tiles(Tiles& t, const std::uint16_t* x, std::size_t block_stride,
                                   const TileScratch& s, std::size_t steps, bool begin,
                                   float (*sums)[2][tile_rows][16]) {
    unroll<0, a * b>([&]<int i>() PREMISE_INLINE_LAMBDA {
      constexpr int tile = i / b * 2 + i % b;
      if (begin)
        t.template zero<tile>();
      else
        t.template load<tile>(sums[i / b][i % b], tile_row_bytes);
    });
    for (std::size_t step = 0; step < steps; ++step) {
      t.template load<6>(s.weights[step][0], tile_row_bytes);
      if constexpr (b == 2) t.template load<7>(s.weights[step][1], tile_row_bytes);
      t.template load<4>(x + step * (tile_bytes / 2), tile_row_bytes);
      t.template multiply<0, 4, 6>();
      if constexpr (b == 2) t.template multiply<1, 4, 7>();
      if constexpr (a == 2) {
        t.template load<5>(x + block_stride + step * (tile_bytes / 2), tile_row_bytes);
        t.template multiply<2, 5, 6>();
        if constexpr (b == 2) t.template multiply<3, 5, 7>();
      }
    }
    unroll<0, a * b>([&]<int i>() PREMISE_INLINE_LAMBDA {
      constexpr int tile = i / b * 2 + i % b;
      t.template store<tile>(sums[i / b][i % b], tile_row_bytes);
    });
  }

  template <int b>
  static void all_tokens(Tiles& t, const TileRows& x, std::size_t first_block, std::size_t blocks,
                         std::size_t first_step, std::size_t steps, const TileScratch& s,
                         float (*sums)[2][tile_rows][16]) {
    const std::uint16_t* from =
        x.data + first_block * x.block_stride + first_step * (tile_bytes / 2);
    std::size_t block = 0;
    for (; block + 2 <= blocks; block += 2)
      tiles<2, b>(t, from + block * x.block_stride, x.block_stride, s, steps, first_step == 0,
                  sums + block);
    if (block < blocks)
      tiles<1, b>(t, from + block * x.block_stride, x.block_stride, s, steps, first_step == 0,
                  sums + block);
  }

  /// Sums of two panels, to where rows and tokens exist.
  static void write(const PackedMatrix& w, std::uint64_t panel, std::uint64_t panels,
                    std::size_t count, const float (*sums)[2][tile_rows][16], float* y,
                    std::size_t y_stride) {
    for (std::uint64_t p = 0; p < panels; ++p) {
      const std::uint64_t row = (panel + p) * panel_rows;
      const std::uint64_t left = w.rows - row;
      const auto rows = static_cast<__mmask16>(left >= 16 ? 0xffffu : (1u << left) - 1u);
      for (std::size_t t = 0; t < count; ++t)
        _mm512_mask_storeu_ps(y + t * y_stride + row, rows,
                              _mm512_load_ps(sums[t / 16][p][t % 16]));
    }
  }

  static void run(const PackedMatrix& w, std::uint64_t begin, std::uint64_t end, const TileRows& x,
                  std::size_t row_count, float* y, std::size_t y_stride, TileScratch& s) {
    Tiles t;
    t.configure(whole_tiles);
    const std::size_t steps = (w.columns + 31) / 32;
    for (std::size_t token = 0; token < row_count; token += block_tokens) {
      const std::size_t left = row_count - token;
      const std::size_t count = left < block_tokens ? left : block_tokens;
      const std::size_t blocks = (count + 15) / 16;
      for (std::uint64_t group = begin; group < end; group += 2 * group_pairs) {
        const std::uint64_t stop = end - group < 2 * group_pairs ? end : group + 2 * group_pairs;
        for (std::size_t first = 0; first < steps; first += block_steps) {
          const std::size_t some = steps - first < block_steps ? steps - first : block_steps;
          for (std::uint64_t panel = group; panel < stop; panel += 2) {
            auto* sums = s.sums[(panel - group) / 2];
            TileWeights<layout, kind>::decode(w, panel, first, some, 0, s);
            if (stop - panel >= 2) {
              TileWeights<layout, kind>::decode(w, panel + 1, first, some, 1, s);
              all_tokens<2>(t, x, token / 16, blocks, first, some, s, sums);
            } else {
              all_tokens<1>(t, x, token / 16, blocks, first, some, s, sums);
            }
          }
        }
        for (std::uint64_t panel = group; panel < stop; panel += 2)
          write(w, panel, stop - panel < 2 ? 1 : 2, count, s.sums[(panel - group) / 2],
                y + token * y_stride, y_stride);
      }
    }
    t.release();
  }
};

/// The kernel of a layout: one body for each kind of scales that occurs with it.
template <typename Tiles, Layout layout, ScaleKind... kinds>
void run_tiles(const PackedMatrix& w, std::uint64_t begin, std::uint64_t end,
               const Activations& input, std::size_t row_count, float* y, std::size_t y_stride,
               void* scratch) {
  TileScratch& s = *static_cast<TileScratch*>(scratch);
  (void)((w.scales == kinds && (TileProduct<Tiles, layout, kinds>::run(w, begin, end, input.tiles,
                                                                       row_count, y, y_stride, s),
                                true)) ||
         ...);
}

}  // namespace
}  // namespace premise
