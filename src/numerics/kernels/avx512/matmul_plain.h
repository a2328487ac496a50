// Multiplication by f32, f16 and bf16 weights with AVX-512: f32 activations, one fma chain a
// result, as contracts/matmul.h says. 16-bit weights are widened on the way into registers (exact).
//
// Tiles of 6 tokens × 4 panels: 24 sums + 4 weights + 1 broadcast activation = 29 of 32 registers;
// 10 loads per 24 multiplications, and 24 independent chains hide the latency of 4 cycles. Six
// tokens, not twelve, also because rows of activations may lie a multiple of 4 KiB apart, and then
// share the 8 to 12 ways of one set of the first-level cache. With more tokens than a tile, columns
// go in blocks of 128, so that the weights of a block (32 KiB in f32) stay near while tokens pass.
#pragma once

#include "numerics/kernels/avx512/matmul_vectors.h"

namespace premise {
namespace {

constexpr int tile_tokens = 6;
constexpr int tile_panels = 4;
constexpr std::size_t block_tokens = 256;
constexpr std::size_t block_columns = 128;
constexpr int prefetch_bytes = 2048;

struct PlainScratch {
  float sums[block_tokens][tile_panels][16];
};

template <Layout layout>
struct Plain {
  static constexpr std::size_t column_bytes = panel_rows * (layout == Layout::f32 ? 4 : 2);

  static PREMISE_INLINE __m512 weights(const std::byte* from) {
    if constexpr (layout == Layout::f32) {
      return _mm512_loadu_ps(from);
    } else {
      const __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
      if constexpr (layout == Layout::f16)
        return _mm512_cvtph_ps(half);
      else
        return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
    }
  }

  /// Adds columns [begin, end) of `panels` panels × `tokens` tokens to the sums.
  template <int panels, int tokens>
  static void tile(const std::byte* panel, std::size_t panel_bytes, const float* x,
                   std::size_t x_stride, std::size_t begin, std::size_t end,
                   float (*sums)[tile_panels][16]) {
    __m512 acc[tokens][panels];
    for (int t = 0; t < tokens; ++t)
      for (int p = 0; p < panels; ++p) acc[t][p] = _mm512_load_ps(sums[t][p]);
    for (std::size_t k = begin; k < end; ++k) {
      const std::byte* at = panel + k * column_bytes;
      __m512 w[panels];
      unroll<0, panels>([&]<int p>() PREMISE_INLINE_LAMBDA {
        if constexpr (tokens <= 2)
          _mm_prefetch(reinterpret_cast<const char*>(at + p * panel_bytes + prefetch_bytes),
                       _MM_HINT_T0);
        w[p] = weights(at + p * panel_bytes);
      });
      unroll<0, tokens>([&]<int t>() PREMISE_INLINE_LAMBDA {
        const __m512 b = _mm512_set1_ps(x[t * x_stride + k]);
        unroll<0, panels>([&]<int p>() PREMISE_INLINE_LAMBDA {
          acc[t][p] = _mm512_fmadd_ps(w[p], b, acc[t][p]);
        });
      });
    }
    for (int t = 0; t < tokens; ++t)
      for (int p = 0; p < panels; ++p) _mm512_store_ps(sums[t][p], acc[t][p]);
  }

  template <int panels>
  static void tiles(const std::byte* panel, std::size_t panel_bytes, const float* x,
                    std::size_t x_stride, std::size_t count, std::size_t begin, std::size_t end,
                    float (*sums)[tile_panels][16]) {
    for (; count >= tile_tokens; count -= tile_tokens) {
      tile<panels, tile_tokens>(panel, panel_bytes, x, x_stride, begin, end, sums);
      x += tile_tokens * x_stride;
      sums += tile_tokens;
    }
    switch (count) {
      case 1:
        return tile<panels, 1>(panel, panel_bytes, x, x_stride, begin, end, sums);
      case 2:
        return tile<panels, 2>(panel, panel_bytes, x, x_stride, begin, end, sums);
      case 3:
        return tile<panels, 3>(panel, panel_bytes, x, x_stride, begin, end, sums);
      case 4:
        return tile<panels, 4>(panel, panel_bytes, x, x_stride, begin, end, sums);
      case 5:
        return tile<panels, 5>(panel, panel_bytes, x, x_stride, begin, end, sums);
      default:
        return;
    }
  }

  /// `panels` panels from `panel` on × `count` tokens at x, at most block_tokens.
  template <int panels>
  static void block(const PackedMatrix& w, std::uint64_t panel, const float* x,
                    std::size_t x_stride, std::size_t count, float* y, std::size_t y_stride,
                    PlainScratch& s) {
    __builtin_memset(s.sums, 0, count * sizeof s.sums[0]);
    const std::size_t step = count <= tile_tokens ? w.columns : block_columns;
    for (std::size_t begin = 0; begin < w.columns; begin += step) {
      const std::size_t end = w.columns - begin < step ? w.columns : begin + step;
      tiles<panels>(w.data + panel * w.panel_bytes, w.panel_bytes, x, x_stride, count, begin, end,
                    s.sums);
    }
    for (int p = 0; p < panels; ++p) {
      const std::uint64_t row = (panel + p) * panel_rows;
      const std::uint64_t left = w.rows - row;
      const auto rows = static_cast<__mmask16>(left >= 16 ? 0xffffu : (1u << left) - 1u);
      for (std::size_t t = 0; t < count; ++t)
        _mm512_mask_storeu_ps(y + t * y_stride + row, rows, _mm512_load_ps(s.sums[t][p]));
    }
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
      for (; panel + 4 <= panel_end; panel += 4)
        block<4>(w, panel, x, input.x_stride, count, to, y_stride, s);
      if (panel + 2 <= panel_end) {
        block<2>(w, panel, x, input.x_stride, count, to, y_stride, s);
        panel += 2;
      }
      if (panel < panel_end) block<1>(w, panel, x, input.x_stride, count, to, y_stride, s);
    }
  }
};

}  // namespace
}  // namespace premise
