// The eight tile registers of AMX, twice: those of the processor, and the same in software.
//
// A kernel is a template over one of the two. `HardwareTiles` is inline assembly of our own, since
// the intrinsics of GCC 12 lie about memory: _tile_loadconfig claims to read 8 of its 64 bytes, and
// _tile_loadd has no memory operand at all, so that stores of an unpacked panel move behind the
// load that needs them. Here everything that touches memory says "memory", and all are volatile, so
// that no compiler exchanges two of them. The compiler never uses tiles by itself and need not know
// what is overwritten in them. Assemblers know the names since binutils 2.34.
//
// `EmulatedTiles` follows the pseudocode of Intel's manual (Software Developer's Manual, volume 2,
// LDTILECFG, TILELOADD, TDPBF16PS, TILESTORED, TILEZERO): what lies beyond the configured rows and
// bytes is neither read nor written and counts as zero, and where the processor would raise an
// exception the program traps. Its sums are rounded as the manual says: even and odd elements of a
// row in a chain of fused multiplications each, without denormal numbers, then their sum, then that
// to the tile.
#pragma once

#include <cstddef>
#include <cstdint>

#include "numerics/kernels/avx512/intrinsics.h"
#include "numerics/kernels/contracts/unroll.h"

namespace premise {
namespace {

constexpr int tile_rows = 16;
constexpr int tile_row_bytes = 64;
constexpr int tile_bytes = tile_rows * tile_row_bytes;
constexpr int tile_count = 8;

/// The operand of ldtilecfg.
struct alignas(64) TileConfig {
  std::uint8_t palette;
  std::uint8_t start_row;
  std::uint8_t reserved[14];
  std::uint16_t row_bytes[16];  // of tiles 0 to 7; the others must be 0
  std::uint8_t rows[16];
};
static_assert(sizeof(TileConfig) == 64);

/// Every tile 16 rows of 64 bytes.
constexpr TileConfig whole_tiles = {
    1, 0, {}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};

struct HardwareTiles {
  PREMISE_INLINE void configure(const TileConfig& config) {
    asm volatile("ldtilecfg %0" : : "m"(config) : "memory");
  }
  PREMISE_INLINE void release() { asm volatile("tilerelease" : : : "memory"); }

  template <int tile>
  PREMISE_INLINE void zero() {
    asm volatile("tilezero %%tmm%c0" : : "i"(tile));
  }
  /// Rows of the tile from `from`, `stride` bytes apart.
  template <int tile>
  PREMISE_INLINE void load(const void* from, std::size_t stride) {
    asm volatile("tileloadd (%1,%2,1), %%tmm%c0" : : "i"(tile), "r"(from), "r"(stride) : "memory");
  }
  template <int tile>
  PREMISE_INLINE void store(void* to, std::size_t stride) {
    asm volatile("tilestored %%tmm%c0, (%1,%2,1)" : : "i"(tile), "r"(to), "r"(stride) : "memory");
  }
  /// c [m][n] f32 += a [m][k][2] bf16 · b [k][n][2] bf16.
  template <int c, int a, int b>
  PREMISE_INLINE void multiply() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(c), "i"(a), "i"(b));
  }
};

class EmulatedTiles {
 public:
  void configure(const TileConfig& config) {
    require(config.palette == 1 && config.start_row == 0);
    for (const std::uint8_t byte : config.reserved) require(byte == 0);
    for (int t = 0; t < 16; ++t) {
      require(config.row_bytes[t] <= tile_row_bytes && config.rows[t] <= tile_rows);
      require((config.row_bytes[t] == 0) == (config.rows[t] == 0));
      require(t < tile_count || config.rows[t] == 0);
    }
    config_ = config;
    __builtin_memset(tiles_, 0, sizeof tiles_);
  }
  void release() { config_ = {}; }

  template <int tile>
  void zero() {
    require(config_.rows[tile] != 0);
    __builtin_memset(tiles_[tile], 0, tile_bytes);
  }
  template <int tile>
  void load(const void* from, std::size_t stride) {
    zero<tile>();
    for (int r = 0; r < config_.rows[tile]; ++r)
      __builtin_memcpy(tiles_[tile][r],
                       static_cast<const std::byte*>(from) + static_cast<std::size_t>(r) * stride,
                       config_.row_bytes[tile]);
  }
  template <int tile>
  void store(void* to, std::size_t stride) {
    require(config_.rows[tile] != 0);
    for (int r = 0; r < config_.rows[tile]; ++r)
      __builtin_memcpy(static_cast<std::byte*>(to) + static_cast<std::size_t>(r) * stride,
                       tiles_[tile][r], config_.row_bytes[tile]);
  }
  template <int c, int a, int b>
  void multiply() {
    static_assert(c != a && a != b && b != c, "an exception on the processor");
    require(config_.rows[a] != 0 && config_.rows[b] != 0 && config_.rows[c] != 0);
    require(config_.row_bytes[a] % 4 == 0 && config_.row_bytes[b] % 4 == 0);
    require(config_.rows[c] == config_.rows[a] && config_.row_bytes[c] == config_.row_bytes[b]);
    require(config_.row_bytes[a] / 4 == config_.rows[b]);
    const unsigned mode = _mm_getcsr();
    constexpr unsigned no_denormals_to_nearest = 0x9fc0;  // FTZ, DAZ, every exception masked
    _mm_setcsr(no_denormals_to_nearest);
    asm volatile("" : : : "memory");
    add_product(tiles_[c], tiles_[a], tiles_[b], config_.rows[c], config_.rows[b]);
    asm volatile("" : : : "memory");
    _mm_setcsr(mode);
  }

 private:
  using Tile = std::byte[tile_rows][tile_row_bytes];

  static void require(bool allowed) {
    if (!allowed) __builtin_trap();
  }

  // A function by itself, so that its arithmetic stays between the two changes of the mode. Columns
  // beyond those of b are zero there, and add zero.
  __attribute__((noinline)) static void add_product(Tile& c, const Tile& a, const Tile& b, int rows,
                                                    int pairs) {
    const __m512i upper = _mm512_set1_epi32(static_cast<int>(0xffff0000u));
    for (int m = 0; m < rows; ++m) {
      __m512 even = _mm512_setzero_ps();
      __m512 odd = _mm512_setzero_ps();
      for (int k = 0; k < pairs; ++k) {
        int pair;
        __builtin_memcpy(&pair, a[m] + 4 * k, sizeof pair);
        const __m512i x = _mm512_set1_epi32(pair);
        const __m512i w = _mm512_loadu_si512(b[k]);
        even = _mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_slli_epi32(x, 16)),
                               _mm512_castsi512_ps(_mm512_slli_epi32(w, 16)), even);
        odd = _mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_and_si512(x, upper)),
                              _mm512_castsi512_ps(_mm512_and_si512(w, upper)), odd);
      }
      const __m512 sum = _mm512_add_ps(even, odd);
      _mm512_storeu_ps(c[m], _mm512_add_ps(_mm512_loadu_ps(c[m]), sum));
    }
  }

  TileConfig config_ = {};
  alignas(64) Tile tiles_[tile_count];
};

}  // namespace
}  // namespace premise
