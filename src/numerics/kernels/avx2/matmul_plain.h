// Multiplication by f32, f16 and bf16 weights with AVX2 and FMA: f32 activations, one fma chain a
// result, as contracts/matmul.h says. 16-bit weights are widened on the way into registers (exact).
//
// Tiles of 3 tokens × 2 panels: 12 sums + 3 broadcast activations + 1 weight = 16 registers. With
// more tokens than a tile, columns go in blocks of 128, whose weights (16 KiB in f32) stay in the
// first-level cache while tokens pass.
#pragma once

#include "numerics/kernels/avx2/matmul_vectors.h"

namespace premise {
namespace {

constexpr int tile_tokens = 3;
constexpr int tile_panels = 2;
constexpr std::size_t block_tokens = 256;
constexpr std::size_t block_columns = 128;
constexpr int prefetch_bytes = 2048;

struct PlainScratch {
  float sums[block_tokens][tile_panels * 2][8];
};

template <Layout layout>
struct Plain {
  static constexpr std::size_t element_bytes = layout == Layout::f32 ? 4 : 2;
  static constexpr std::size_t column_bytes = panel_rows * element_bytes;

  /// 8 rows of a column.
  static PREMISE_INLINE __m256 weights(const std::byte* from) {
    if constexpr (layout == Layout::f32) {
      return _mm256_loadu_ps(reinterpret_cast<const float*>(from));
    } else {
      const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
      if constexpr (layout == Layout::f16)
        return _mm256_cvtph_ps(half);
      else
        return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16));
    }
  }

  /// Adds columns [begin, end) of `panels` panels × `tokens` tokens to the sums.
  template <int panels, int tokens>
  static void tile(const std::byte* panel, std::size_t panel_bytes, const float* x,
                   std::size_t x_stride, std::size_t begin, std::size_t end,
                   float (*sums)[tile_panels * 2][8]) {
    __m256 acc[tokens][2 * panels];
    for (int t = 0; t < tokens; ++t)
      for (int h = 0; h < 2 * panels; ++h) acc[t][h] = _mm256_load_ps(sums[t][h]);
    for (std::size_t k = begin; k < end; ++k) {
      const std::byte* at = panel + k * column_bytes;
      __m256 b[tokens];
      unroll<0, tokens>([&]<int t>()
                            PREMISE_INLINE_LAMBDA { b[t] = _mm256_set1_ps(x[t * x_stride + k]); });
      unroll<0, 2 * panels>([&]<int h>() PREMISE_INLINE_LAMBDA {
        const std::byte* half = at + h / 2 * panel_bytes + h % 2 * 8 * element_bytes;
        if constexpr (tokens == 1 && h % 2 == 0)
          _mm_prefetch(reinterpret_cast<const char*>(half + prefetch_bytes), _MM_HINT_T0);
        const __m256 w = weights(half);
        unroll<0, tokens>([&]<int t>() PREMISE_INLINE_LAMBDA {
          acc[t][h] = _mm256_fmadd_ps(w, b[t], acc[t][h]);
        });
      });
    }
    for (int t = 0; t < tokens; ++t)
      for (int h = 0; h < 2 * panels; ++h) _mm256_store_ps(sums[t][h], acc[t][h]);
  }

  /// `panels` panels from `panel` on × `count` tokens at x, at most block_tokens.
  template <int panels>
  static void block(const PackedMatrix& w, std::uint64_t panel, const float* x,
                    std::size_t x_stride, std::size_t count, float* y, std::size_t y_stride,
                    PlainScratch& s) {
    __builtin_memset(s.sums, 0, count * sizeof s.sums[0]);
    const std::byte* data = w.data + panel * w.panel_bytes;
    const std::size_t step = count <= tile_tokens ? w.columns : block_columns;
    for (std::size_t begin = 0; begin < w.columns; begin += step) {
      const std::size_t end = w.columns - begin < step ? w.columns : begin + step;
      std::size_t t = 0;
      for (; t + tile_tokens <= count; t += tile_tokens)
        tile<panels, tile_tokens>(data, w.panel_bytes, x + t * x_stride, x_stride, begin, end,
                                  s.sums + t);
      const float* rest = x + t * x_stride;
      if (count - t == 1)
        tile<panels, 1>(data, w.panel_bytes, rest, x_stride, begin, end, s.sums + t);
      if (count - t == 2)
        tile<panels, 2>(data, w.panel_bytes, rest, x_stride, begin, end, s.sums + t);
    }
    for (std::size_t t = 0; t < count; ++t)
      for (unsigned h = 0; h < 2 * panels; ++h)
        store_rows(w, panel * panel_rows + 8 * h, y + t * y_stride, _mm256_load_ps(s.sums[t][h]));
  }

  static void run(const PackedMatrix& w, std::uint64_t panel_begin, std::uint64_t panel_end,
                  const Activations& input, std::size_t row_count, float* y, std::size_t y_stride,
                  void* scratch) {
    PlainScratch& s = *static_cast<PlainScratch*>(scratch);
    for (std::size_t token = 0; token < row_count; token += block_tokens) {
      const std::size_t left = row_count - token;
      const std::size_t count = left < block_tokens ? left : block_tokens;
      const float* x = input.x + token * input.x_stride;
      float* to = y + token * y_stride;
      std::uint64_t panel = panel_begin;
      for (; panel + 2 <= panel_end; panel += 2)
        block<2>(w, panel, x, input.x_stride, count, to, y_stride, s);
      if (panel < panel_end) block<1>(w, panel, x, input.x_stride, count, to, y_stride, s);
    }
  }
};

}  // namespace
}  // namespace premise
