// Bounds of the products with coarse activations, with AVX-512 VNNI. contracts/peak.h has the sums.
//
// vpdpbusd multiplies 64 codes of weights (16 rows × 4 columns), as they lie in the packed bytes,
// by 4 activations, the same for all rows. A tile of 7 tokens × 2 panels keeps 14 integer sums and
// 14 f32 sums in registers and unpacks a group once for all of them, and each broadcast of
// activations serves two panels: one panel × 8 tokens are short of ports for loads.
//
// All tiles of a region of panels come before the next region, which they fetch meanwhile, in the
// order of memory: otherwise the first tile waits for memory and the others leave it idle, and two
// streams at once are slower than one. 8-bit codes of [131072, 640] on a core of a Zen 5, one panel
// × 8 tokens with a share of every group fetched by each tile, 7 × 2 so, and 7 × 2 as it is: 13
// tokens 6.5, 5.1 and 3.7 ms, 16 tokens 6.7, 6.0 and 4.5, 32 tokens 9.8, 9.2 and 8.1; 2.7 to read
// them and 3.1 for 13 tokens where they lie in the cache.
#pragma once

#include "numerics/kernels/avx512/matmul_vectors.h"
#include "numerics/kernels/contracts/peak.h"

namespace premise {
namespace {

constexpr std::size_t coarse_tile_tokens = 7;
constexpr int coarse_tile_panels = 2;
static_assert(peak_block_panels % coarse_tile_panels == 0);
constexpr std::uint64_t region_blocks = 2;

template <Layout layout, ScaleKind kind>
struct Coarse {
  static_assert(!has_min(kind));
  static constexpr int shift = zero_shift(layout, kind);
  static constexpr int halves = Scales<kind>::halves ? 2 : 1;
  static constexpr int quads = 8 / halves;

  static PREMISE_INLINE __mmask16 present(const PackedMatrix& w, std::uint64_t panel) {
    const std::uint64_t left = w.rows - panel * panel_rows;
    return left >= panel_rows ? static_cast<__mmask16>(0xffff)
                              : static_cast<__mmask16>((1u << left) - 1u);
  }

  /// Calls visit(scales, group within the chunk, codes, group within the row) along a panel.
  template <typename Visit>
  static PREMISE_INLINE void along(const PackedMatrix& w, std::uint64_t panel, Visit visit) {
    constexpr std::uint32_t chunk_size = chunk_bytes(layout, kind, chunk_groups);
    const std::byte* chunk = w.data + panel * w.panel_bytes;
    const std::size_t groups = w.columns / group_columns;
    for (std::size_t first = 0; first < groups; first += chunk_groups, chunk += chunk_size) {
      const auto count =
          static_cast<std::uint32_t>(groups - first < chunk_groups ? groups - first : chunk_groups);
      Scales<kind> scales;
      scales.open(chunk);
      const std::byte* at = chunk + codes_offset(kind, count);
      for (std::uint32_t g = 0; g < count; ++g, at += code_bytes(layout))
        visit(scales, g, at, first + g);
    }
  }

  // ---- norms of the rows of W -----------------------------------------------------------------

  static void norms(const PackedMatrix& w, std::uint64_t begin, std::uint64_t end, float* out) {
    const __m512i zero = _mm512_set1_epi16(static_cast<short>(shift == 0 ? 0 : 1 << shift));
    for (std::uint64_t panel = begin; panel < end; ++panel) {
      __m512 sum = _mm512_setzero_ps();
      along(w, panel,
            [&](const Scales<kind>& scales, std::uint32_t g, const std::byte* at, std::size_t)
                PREMISE_INLINE_LAMBDA {
                  const Codes<layout> codes(at);
                  unroll<0, halves>([&]<int half>() PREMISE_INLINE_LAMBDA {
                    __m512i squares = _mm512_setzero_si512();
                    unroll<half * quads, (half + 1) * quads>([&]<int q>() PREMISE_INLINE_LAMBDA {
                      const __m512i quad = codes.template quad<q>();
                      const __m512i even = _mm512_sub_epi16(widened<0>(quad), zero);
                      const __m512i odd = _mm512_sub_epi16(widened<1>(quad), zero);
                      squares = _mm512_dpwssd_epi32(squares, even, even);
                      squares = _mm512_dpwssd_epi32(squares, odd, odd);
                    });
                    const __m512 s = scales.scale(g, half);
                    sum = _mm512_fmadd_ps(_mm512_mul_ps(s, s), _mm512_cvtepi32_ps(squares), sum);
                  });
                });
      // Up by more than all roundings of the sum and of the root together, for rows of 2^20
      // groups: sums of squares never cancel.
      const __m512 root = _mm512_mul_ps(_mm512_sqrt_ps(sum), _mm512_set1_ps(1.001f));
      _mm512_storeu_ps(out + panel * panel_rows, _mm512_maskz_mov_ps(present(w, panel), root));
    }
  }

  // ---- bounds ---------------------------------------------------------------------------------

  /// The region that comes next, fetched line by line in the order of memory while the tiles of
  /// this one compute: `lines` with every group.
  struct Ahead {
    const std::byte* at;
    const std::byte* end;
    std::uint64_t lines;

    PREMISE_INLINE void fetch() {
      for (std::uint64_t line = 0; line < lines && at < end; ++line, at += 64)
        _mm_prefetch(reinterpret_cast<const char*>(at), _MM_HINT_T1);
    }
  };

  struct Bounds {
    __m512 upper[coarse_tile_tokens];
    __m512 lower[coarse_tile_tokens];
  };

  static PREMISE_INLINE __m512i broadcast4(const std::int8_t* four_codes) {
    std::int32_t quad;
    __builtin_memcpy(&quad, four_codes, sizeof quad);
    return _mm512_set1_epi32(quad);
  }

  static PREMISE_INLINE const std::int32_t* minus_sums(const CoarseRows& x, std::size_t token) {
    return halves == 2 ? x.minus_sums16 + 2 * token * x.group_stride
                       : x.minus_sums32 + token * x.group_stride;
  }

  template <int tokens, int panels>
  using Sums = __m512[panels][tokens];

  /// sums += group `group` of `panels` panels, the first of which has its codes at `at`, × tokens.
  template <int tokens, int panels>
  static PREMISE_INLINE void add_group(const PackedMatrix& w, const Scales<kind> (&scales)[panels],
                                       std::uint32_t g, const std::byte* at, const CoarseRows& x,
                                       std::size_t token, std::size_t group,
                                       Sums<tokens, panels>& sums) {
    const std::int8_t* h = x.codes + token * x.code_stride + group * group_columns;
    const float* a = x.scales + token * x.group_stride + group;
    const std::int32_t* minus = minus_sums(x, token) + halves * group;
    unroll<0, halves>([&]<int half>() PREMISE_INLINE_LAMBDA {
      __m512i dot[panels][tokens];
      unroll<0, tokens>([&]<int t>() PREMISE_INLINE_LAMBDA {
        const __m512i from =
            shift == 0 ? _mm512_setzero_si512()
                       : _mm512_slli_epi32(
                             _mm512_set1_epi32(minus[t * halves * x.group_stride + half]), shift);
        unroll<0, panels>([&]<int p>() PREMISE_INLINE_LAMBDA { dot[p][t] = from; });
      });
      unroll<half * quads, (half + 1) * quads>([&]<int q>() PREMISE_INLINE_LAMBDA {
        __m512i quad[panels];
        unroll<0, panels>([&]<int p>() PREMISE_INLINE_LAMBDA {
          quad[p] = Codes<layout>(at + p * w.panel_bytes).template quad<q>();
        });
        unroll<0, tokens>([&]<int t>() PREMISE_INLINE_LAMBDA {
          const __m512i four = broadcast4(h + t * x.code_stride + 4 * q);
          unroll<0, panels>([&]<int p>() PREMISE_INLINE_LAMBDA {
            dot[p][t] = _mm512_dpbusd_epi32(dot[p][t], quad[p], four);
          });
        });
      });
      unroll<0, panels>([&]<int p>() PREMISE_INLINE_LAMBDA {
        const __m512 scale = scales[p].scale(g, half);
        unroll<0, tokens>([&]<int t>() PREMISE_INLINE_LAMBDA {
          const __m512 product = _mm512_mul_ps(_mm512_cvtepi32_ps(dot[p][t]), scale);
          sums[p][t] = _mm512_fmadd_ps(product, _mm512_set1_ps(a[t * x.group_stride]), sums[p][t]);
        });
      });
    });
  }

  /// `tokens` tokens from `token` on × `panels` panels from `index` on, into the bounds of their
  /// block.
  template <int tokens, int panels>
  static void products(const PackedMatrix& w, const float* norms, std::uint64_t index, Ahead& ahead,
                       const CoarseRows& x, std::size_t token, Bounds& bounds) {
    constexpr std::uint32_t chunk_size = chunk_bytes(layout, kind, chunk_groups);
    Sums<tokens, panels> sums;
    unroll<0, panels * tokens>(
        [&]<int i>() PREMISE_INLINE_LAMBDA { sums[i / tokens][i % tokens] = _mm512_setzero_ps(); });
    const std::byte* chunk = w.data + index * w.panel_bytes;
    const std::size_t groups = w.columns / group_columns;
    for (std::size_t first = 0; first < groups; first += chunk_groups, chunk += chunk_size) {
      const auto count =
          static_cast<std::uint32_t>(groups - first < chunk_groups ? groups - first : chunk_groups);
      Scales<kind> scales[panels];
      unroll<0, panels>([&]<int p>()
                            PREMISE_INLINE_LAMBDA { scales[p].open(chunk + p * w.panel_bytes); });
      const std::byte* at = chunk + codes_offset(kind, count);
      for (std::uint32_t g = 0; g < count; ++g, at += code_bytes(layout)) {
        ahead.fetch();
        add_group<tokens, panels>(w, scales, g, at, x, token, first + g, sums);
      }
    }
    unroll<0, panels>([&]<int p>() PREMISE_INLINE_LAMBDA {
      const __m512 norm = _mm512_loadu_ps(norms + (index + p) * panel_rows);
      const __mmask16 rows = present(w, index + p);
      unroll<0, tokens>([&]<int t>() PREMISE_INLINE_LAMBDA {
        const __m512 slack = _mm512_set1_ps(x.slack[token + t]);
        const __m512 high = _mm512_fmadd_ps(norm, slack, sums[p][t]);
        const __m512 low = _mm512_fnmadd_ps(norm, slack, sums[p][t]);
        bounds.upper[t] = _mm512_mask_max_ps(bounds.upper[t], rows, bounds.upper[t], high);
        bounds.lower[t] = _mm512_mask_max_ps(bounds.lower[t], rows, bounds.lower[t], low);
      });
    });
  }

  template <int tokens>
  static void block(const PackedMatrix& w, const float* norms, std::uint64_t index, Ahead& ahead,
                    const CoarseRows& x, std::size_t token, float* upper, std::size_t upper_stride,
                    Bounds& lowest) {
    const std::uint64_t panels = (w.rows + panel_rows - 1) / panel_rows;
    const std::uint64_t first = index * peak_block_panels;
    const std::uint64_t last =
        first + peak_block_panels < panels ? first + peak_block_panels : panels;
    for (int t = 0; t < tokens; ++t) lowest.upper[t] = _mm512_set1_ps(-__builtin_inff());
    std::uint64_t p = first;
    for (; p + coarse_tile_panels <= last; p += coarse_tile_panels)
      products<tokens, coarse_tile_panels>(w, norms, p, ahead, x, token, lowest);
    for (; p < last; ++p) products<tokens, 1>(w, norms, p, ahead, x, token, lowest);
    for (int t = 0; t < tokens; ++t)
      upper[(token + t) * upper_stride + index] = _mm512_reduce_max_ps(lowest.upper[t]);
  }

  /// The tile of `count` tokens (at most 8) from `token` on over all blocks.
  template <int tokens>
  static void tile(const PackedMatrix& w, const float* norms, std::uint64_t begin,
                   std::uint64_t end, Ahead& ahead, const CoarseRows& x, std::size_t token,
                   std::size_t count, float* upper, std::size_t upper_stride, float* lower) {
    if constexpr (tokens > 1) {
      if (count < tokens)
        return tile<tokens - 1>(w, norms, begin, end, ahead, x, token, count, upper, upper_stride,
                                lower);
    }
    Bounds bounds;
    for (int t = 0; t < tokens; ++t) bounds.lower[t] = _mm512_set1_ps(lower[token + t]);
    for (std::uint64_t index = begin; index < end; ++index)
      block<tokens>(w, norms, index, ahead, x, token, upper, upper_stride, bounds);
    for (int t = 0; t < tokens; ++t) lower[token + t] = _mm512_reduce_max_ps(bounds.lower[t]);
  }

  static void bound(const PackedMatrix& w, const float* norms, std::uint64_t begin,
                    std::uint64_t end, const CoarseRows& x, std::size_t row_count, float* upper,
                    std::size_t upper_stride, float* lower) {
    const auto tiles = (row_count + coarse_tile_tokens - 1) / coarse_tile_tokens;
    const std::uint64_t panels = (w.rows + panel_rows - 1) / panel_rows;
    constexpr std::uint64_t region_panels = region_blocks * peak_block_panels;
    const std::uint64_t steps =
        tiles * (region_panels / coarse_tile_panels) * (w.columns / group_columns);
    const std::uint64_t lines = region_panels * w.panel_bytes / 64 / steps + 1;
    for (std::uint64_t first = begin; first < end; first += region_blocks) {
      const std::uint64_t last = first + region_blocks < end ? first + region_blocks : end;
      const std::uint64_t next = last * peak_block_panels;
      const std::uint64_t after = next + region_panels < panels ? next + region_panels : panels;
      Ahead ahead{w.data + (next < panels ? next : panels) * w.panel_bytes,
                  w.data + after * w.panel_bytes, lines};
      for (std::size_t i = 0; i < tiles; ++i) {
        const std::size_t token = row_count * i / tiles;
        tile<coarse_tile_tokens>(w, norms, first, last, ahead, x, token,
                                 row_count * (i + 1) / tiles - token, upper, upper_stride, lower);
      }
    }
  }
};

}  // namespace
}  // namespace premise
