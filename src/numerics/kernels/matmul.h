// Matrix multiplication for the CPU backend: pack weights at load, quantize activations, multiply.
//
// The twenty types of weights become ten layouts (contracts/packed_layout.h), without loss, and a
// kernel exists per layout and instruction set. The backend packs a tensor panel by panel, releases
// the file's pages behind it, splits panels among its threads and calls one kernel a thread.
// contracts/matmul.h states what a kernel computes, bit by bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "numerics/device/isa.h"
#include "numerics/kernels/contracts/matmul.h"
#include "numerics/tensor/tensor_view.h"

namespace premise {

/// Panels of 16 rows that `rows` rows fill.
std::uint64_t panel_count(std::uint64_t rows);

/// Bytes of a packed matrix, a multiple of 64. Errors (bad_input): a type that is not computed
/// with, a row that is no whole number of its blocks, a size beyond 2^63.
Result<std::uint64_t> packed_bytes(DType dtype, std::uint64_t rows, std::uint64_t columns);

/// A packed matrix at `data` (64-byte aligned, packed_bytes() long; packed_bytes() succeeded).
PackedMatrix view_of(DType dtype, std::uint64_t rows, std::uint64_t columns, const std::byte* data);

/// Packs panels [panel_begin, panel_end) of `source`, whose rows() and columns() passed
/// packed_bytes(). `destination` is where the whole matrix begins. Reads the source's rows in
/// ascending order, each once; disjoint ranges may be packed at once.
void pack_panels(const TensorView& source, std::uint64_t panel_begin, std::uint64_t panel_end,
                 std::byte* destination);

/// Row `row` as f32, bit-equal to decoding the source (quant/decode.h): embeddings that share their
/// matrix with the output head exist once.
void decode_row(const PackedMatrix& matrix, std::uint64_t row, float* out);

/// Memory for `rows` quantized rows: bytes, a multiple of 64; `columns` is a multiple of 32.
std::uint64_t quantized_bytes(std::uint64_t rows, std::uint64_t columns);

/// Buffers at `memory` (64-byte aligned, quantized_bytes() long).
QuantizedRows quantized_rows_at(std::byte* memory, std::uint64_t rows, std::uint64_t columns);

const QuantizeKernel& quantize_kernel(Isa isa);

/// Memory for `rows` rows in tiles: bytes, a multiple of 64.
std::uint64_t tile_rows_bytes(std::uint64_t rows, std::uint64_t columns);

/// Tiles at `memory` (64-byte aligned, tile_rows_bytes() long) for rows of up to `columns`.
TileRows tile_rows_at(std::byte* memory, std::uint64_t columns);

/// What rounds rows for the kernels on tiles; the machine must have AVX512-BF16, as every
/// instruction set with tiles does.
const RoundKernel& round_kernel();

/// What a layout wants as input of matmul_kernel().
ActivationKind activation_kind(Layout layout);

/// "p4"
std::string_view name_of(Layout layout);

/// The kernel of a layout on vectors; null where the instruction set lacks it. Kernels work on up
/// to four panels at once: ranges whose ends are multiples of four panels cost nothing extra.
const MatmulKernel* matmul_kernel(Isa isa, Layout layout);

/// The rows from which on the kernels on tiles are worth it. They decode 16 × 32 weights into bf16
/// in some 75 cycles and multiply them by up to 16 rows in 16: 90 multiplications a cycle at 16
/// rows after decoding, and from there the more the more rows share it. Vector kernels stay below
/// 100 whatever the rows (dot products at 84 % of 64 codes twice a cycle, one and a quarter times
/// for mixed planes), and below a tile's rows they multiply codes as they lie in memory. A constant
/// until a processor with tiles can be asked for each shape.
inline constexpr std::size_t tile_rows_min = 16;

/// The kernel of a layout on tiles; null where the instruction set has none.
const MatmulKernel* tile_kernel(Isa isa, Layout layout);

/// How products with a matrix are computed, from the slowest on.
enum class ProductPath : std::uint8_t {
  scalar,    // one after the other: the reference, and tiles in software
  floats,    // F32 products on vectors: weights that are plain numbers
  integers,  // integer dot products on vectors: codes as they lie in memory
  tiles,     // those in steps of few rows, matrix tiles in steps of many
};

/// "integers"
std::string_view name_of(ProductPath path);

/// The path of a kernel of an instruction set, and of the one on tiles that takes its place in
/// steps of many rows (null where none does).
ProductPath product_path(Isa isa, const MatmulKernel& kernel, const MatmulKernel* on_tiles);

/// The path that weights should be on with an instruction set; `ref` has none that is fast, and
/// misses it whatever the weights.
ProductPath fast_path(Isa isa);

/// The oracle: rows [row_begin, row_end) of W as the file has them, decoded to f32, times f32
/// activations, summed in double over ascending k. W is of a computed type and its size consistent.
///   y[i * y_stride + r] = f32(Σ_k double(w[r, k]) · double(x[i * x_stride + k]))
void matmul_reference(const TensorView& weights, const float* x, std::size_t row_count,
                      std::size_t x_stride, float* y, std::size_t y_stride, std::uint64_t row_begin,
                      std::uint64_t row_end);

}  // namespace premise
