// Matrix multiplication y = x · Wᵀ with packed weights: what every kernel computes, and in which
// order. Plain data only: files of every instruction set include this. packed_layout.h draws the
// bytes, matmul.h is what the engine calls.
//
//   W [rows, columns]   packed weights, interleaved in panels of 16 rows
//   x [row_count, columns]   activations: f32, or int16 with a scale per group of 32 columns
//   y [row_count, rows]   f32
//
// Numeric contract of f32 activations (layouts f32, f16, bf16), for each y:
//   acc = 0;  for k ascending:  acc = fma(f32(w[k]), x[k], acc)
//
// Numeric contract of int16 activations (all other layouts). A scale group is 16 or 32 columns, as
// the format has it; S, M and the integers below belong to one row of W and one scale group, `a` is
// the activation scale of the 32 columns around it. For each y:
//   acc = 0;  for scale groups ascending:
//     dot = Σ (code[k] − zero) · q[k]      exact in int32: any part is ≤ 32 · 255 · 32512 < 2^28
//     t   = f32(dot) · S                   f32(dot) is rounded, to nearest even
//     t   = fma(M, f32(−Σ q[k]), t)        only in formats with a minimum
//     acc = fma(t, a, acc)
//   S = f32(d) or f32(d) · s; M = −m or f32(dmin) · min; both exact: 11 + 8 significant bits
//   y = acc
//
// Both are fixed sequences of correctly rounded operations, so results are bit-identical over batch
// sizes, threads, chunks of a prompt and instruction sets. (The sign and payload of a NaN are not
// covered.) Alternatives rejected: fma(f32(dot), S · a, acc), which needs one operation more where
// there is a minimum; activation groups of 256, which round small activations away beside large
// ones; and int8 activations throughout, whose errors the real model shows (docs/decisions/0003).
//
// Numeric contract of bf16 activations (tiles; every layout,
// docs/decisions/0012-amx-bf16-tiles.md):
//   w' = bf16(f32 value of the weight);  x' = bf16(x), both to nearest even
//   acc = 0;  for steps of 32 columns ascending:
//     even = Σ w'[k] · x'[k] over even columns of the step, odd likewise, ascending, with fma
//     acc  = acc + (even + odd)
// Denormal numbers count as zero. A result depends on its row of W and its row of x alone, but it
// is not the one of the other contracts, and how a processor rounds inside a step is its own
// business.
//
// Error against f32 activations: those of a fine group move by at most a/2 = amax/65024 each, so
//   |Δy| ≤ Σ over groups of amax/65024 · Σ|w[k]|,  plus float rounding of about 2^-24 · Σ|w · x|;
// those of a coarse group (ActivationBits::mixed) by up to amax/254.
#pragma once

#include <cstddef>
#include <cstdint>

namespace premise {

enum class DType : std::uint32_t;

/// How the codes of a panel lie (packed_layout.h): plain numbers; unsigned codes of 2 to 8 bits;
/// four-bit indices into the 16 levels of the IQ4 formats.
enum class Layout : std::uint8_t { f32, f16, bf16, p2, p3, p4, p5, p6, p8, t4 };

/// How the scales of a panel lie.
enum class ScaleKind : std::uint8_t {
  none,
  f16,          // per 32: d
  f16_min,      // per 32: d, m
  super32,      // per 32: s; per 256: d
  super32_min,  // per 32: s, min; per 256: d, dmin
  super16,      // per 16: s; per 256: d
  super16_min,  // per 16: s, min in four bits each; per 256: d, dmin
};

/// Where column c of a quad lies among its four codes (QuantizedRows).
inline constexpr std::uint32_t quad_order[4] = {0, 2, 1, 3};

/// What a kernel takes as input.
enum class ActivationKind : std::uint8_t { f32, int16, bf16 };

/// How many bits activations are rounded to: sixteen, or sixteen in the groups that stand out of
/// their row and eight in the others. A code is then a multiple of 256, and half the work of its
/// products falls away (docs/decisions/0009-activations-of-eight-and-sixteen-bits.md).
enum class ActivationBits : std::uint8_t { sixteen, mixed };

/// A packed matrix in memory that somebody else owns; 64-byte aligned.
struct PackedMatrix {
  const std::byte* data;  // [panels][panel_bytes]
  std::uint64_t rows;
  std::uint64_t columns;      // integer layouts: a multiple of 32
  std::uint64_t panel_bytes;  // a multiple of 64
  DType dtype;                // of the source, for reports
  Layout layout;
  ScaleKind scales;
  std::uint8_t zero;  // the code of zero: 0, 4, 8, 16, 32 or 128
};

/// Activations as int16, one scale per group of 32 columns. Sums are negative because a dot product
/// of unsigned codes starts at −zero · Σ q. Per group:
///   amax  = max |x|;  a = amax / 32512
///   fine:   q = round_to_even(x · (32512 / amax)), ActivationBits::sixteen or amax > fine_limit()
///   coarse: q = 256 · round_to_even(x · (127 / amax))
///   amax < 2^-100: a = 0 and q = 0 (32512 / amax would overflow), coarse
///   a NaN or an infinity in the group: a = NaN and q = 0, so that y shows it; coarse
///
/// The same codes stand twice. As words, the four of a quad lie in the order of columns 0, 2, 1, 3:
/// the even and the odd bytes of a vector of weights, widened to 16 bits by one mask or one shift,
/// meet them as two pairs. And as bytes in the order of columns, q = 256 · high + low, both signed,
/// which is why q ends at 127 · 256 = 32512; low is 0 throughout a coarse group.
struct QuantizedRows {
  std::int16_t* codes;         // [row][code_stride], 64-byte aligned rows
  std::int8_t* high;           // [row][byte_stride]
  std::int8_t* low;            // [row][byte_stride]
  std::uint8_t* fine;          // [row][chunk_stride]: bit g of a chunk of 8 groups: group g is fine
  float* scales;               // [row][group_stride], whole cache lines; what is beyond the last
                               // group may hold anything
  std::int32_t* minus_sums32;  // [row][group_stride]: −Σ q over the group
  std::int32_t* minus_sums16;  // [row][2 · group_stride]: −Σ q over each half of the group
  std::size_t code_stride;     // elements
  std::size_t byte_stride;     // elements
  std::size_t chunk_stride;    // elements
  std::size_t group_stride;    // elements
};

/// The same rows without the first `rows`.
static inline QuantizedRows without_first(QuantizedRows x, std::size_t rows) {
  x.codes += rows * x.code_stride;
  x.high += rows * x.byte_stride;
  x.low += rows * x.byte_stride;
  x.fine += rows * x.chunk_stride;
  x.scales += rows * x.group_stride;
  x.minus_sums32 += rows * x.group_stride;
  x.minus_sums16 += 2 * rows * x.group_stride;
  return x;
}

/// The same rows without the first `groups` of their groups, a multiple of eight.
static inline QuantizedRows without_groups(QuantizedRows x, std::size_t groups) {
  x.codes += 32 * groups;
  x.high += 32 * groups;
  x.low += 32 * groups;
  x.fine += groups / 8;
  x.scales += groups;
  x.minus_sums32 += groups;
  x.minus_sums16 += 2 * groups;
  return x;
}

/// The largest code, and the largest high byte.
inline constexpr float fine_range = 32512.0f;
inline constexpr float coarse_range = 127.0f;

/// The magnitude above which a group of a row with these largest magnitudes is fine: half as much
/// again as they are on average. (An average of finite ones; the sum ascends, a rounding a group.)
static inline float fine_limit(ActivationBits bits, const float* amax, std::size_t groups) {
  if (bits == ActivationBits::sixteen) return 0.0f;
  float sum = 0.0f;
  for (std::size_t g = 0; g < groups; ++g)
    if (amax[g] <= 0x1.fffffep127f) sum += amax[g];
  return 1.5f * (sum / static_cast<float>(groups));
}

struct QuantizeKernel {
  const char* name;  // "quantize.avx512"
  /// Quantizes x[columns] into row `row` of `out`; columns is a multiple of 32. Rows may be written
  /// by several threads at once.
  void (*run)(const float* x, std::size_t columns, ActivationBits bits, const QuantizedRows& out,
              std::size_t row);
};

/// Activations as bf16, in tiles of 16 rows × 32 columns, each 1 KiB in one piece: what a tile of
/// 64 bytes a row reads without a stride. Columns beyond the last are zero; rows of the last tile
/// that were never written may hold anything, and only their own results show it.
struct TileRows {
  std::uint16_t* data;       // [block of 16 rows][step of 32 columns][16][32], 64-byte aligned
  std::size_t block_stride;  // elements
};

struct RoundKernel {
  const char* name;  // "round.amx"
  /// Rounds x[columns] to nearest even into row `row` of `out`. Rows may be written by several
  /// threads at once.
  void (*run)(const float* x, std::size_t columns, const TileRows& out, std::size_t row);
};

/// The input of a multiplication: the member that the kernel's ActivationKind names.
struct Activations {
  const float* x;        // [row_count][x_stride]
  std::size_t x_stride;  // floats
  QuantizedRows quantized;
  TileRows tiles = {};
};

struct MatmulKernel {
  const char* name;  // "matmul.p4.avx512"
  ActivationKind activations;
  std::size_t scratch_bytes;  // that each thread lends to a call, 64-byte aligned

  /// y[i * y_stride + r] for i < row_count and every row r of panels [panel_begin, panel_end);
  /// rows of W that do not exist are not written. Calls on disjoint panels may run at once.
  void (*run)(const PackedMatrix& weights, std::uint64_t panel_begin, std::uint64_t panel_end,
              const Activations& input, std::size_t row_count, float* y, std::size_t y_stride,
              void* scratch);
};

/// The kernel of a layout on the tiles of AMX, and the same with tiles in software.
struct TileKernels {
  MatmulKernel hardware;
  MatmulKernel emulated;
};

}  // namespace premise
