#include "numerics/kernels/matmul.h"

#include <array>
#include <cassert>

#include "numerics/kernels/matmul_kernels.h"
#include "numerics/kernels/packed_format.h"

namespace premise {
namespace {

constexpr std::array<std::string_view, 10> layout_names = {"f32", "f16", "bf16", "p2", "p3",
                                                           "p4",  "p5",  "p6",   "p8", "t4"};
using KernelRow = std::array<const MatmulKernel*, layout_names.size()>;

// In the order of Layout.
constexpr KernelRow ref_kernels = {
    &matmul_f32_ref, &matmul_f16_ref, &matmul_bf16_ref, &matmul_p2_ref, &matmul_p3_ref,
    &matmul_p4_ref,  &matmul_p5_ref,  &matmul_p6_ref,   &matmul_p8_ref, &matmul_t4_ref};

constexpr KernelRow avx2_kernels = {
    &matmul_f32_avx2, &matmul_f16_avx2, &matmul_bf16_avx2, &matmul_p2_avx2, &matmul_p3_avx2,
    &matmul_p4_avx2,  &matmul_p5_avx2,  &matmul_p6_avx2,   &matmul_p8_avx2, &matmul_t4_avx2};

constexpr KernelRow avx512_kernels = {&matmul_f32_avx512, &matmul_f16_avx512, &matmul_bf16_avx512,
                                      &matmul_p2_avx512,  &matmul_p3_avx512,  &matmul_p4_avx512,
                                      &matmul_p5_avx512,  &matmul_p6_avx512,  &matmul_p8_avx512,
                                      &matmul_t4_avx512};

// In the order of Layout.
constexpr std::array<const TileKernels*, layout_names.size()> tile_kernels = {
    &matmul_f32_amx, &matmul_f16_amx, &matmul_bf16_amx, &matmul_p2_amx, &matmul_p3_amx,
    &matmul_p4_amx,  &matmul_p5_amx,  &matmul_p6_amx,   &matmul_p8_amx, &matmul_t4_amx};

std::uint64_t rounded_up(std::uint64_t value, std::uint64_t step) {
  return (value + step - 1) / step * step;
}

// An odd number of cache lines: rows whose distance is a multiple of 4 KiB would all fall into the
// same few ways of the first-level cache.
std::uint64_t odd_lines(std::uint64_t bytes) { return (rounded_up(bytes, 64) / 64 | 1) * 64; }

struct QuantizedStrides {
  std::uint64_t codes;  // elements, of all of these
  std::uint64_t bytes;
  std::uint64_t chunks;
  std::uint64_t groups;
};

QuantizedStrides quantized_strides(std::uint64_t columns) {
  assert(columns % group_columns == 0);
  return {odd_lines(columns * sizeof(std::int16_t)) / sizeof(std::int16_t), odd_lines(columns),
          odd_lines(rounded_up(columns, chunk_columns) / chunk_columns),
          odd_lines(columns / group_columns * sizeof(float)) / sizeof(float)};
}

}  // namespace

std::uint64_t panel_count(std::uint64_t rows) {
  return rows / panel_rows + (rows % panel_rows != 0 ? 1 : 0);
}

Result<std::uint64_t> packed_bytes(DType dtype, std::uint64_t rows, std::uint64_t columns) {
  const DTypeTraits& t = traits(dtype);
  const PackedFormat* format = packed_format(dtype);
  if (format == nullptr)
    return error(ErrorCode::bad_input,
                 {"weights of type {} cannot be computed with on the CPU",
                  "CPU 后端不支持用 {} 类型的权重计算"},
                 t.name)
        .with_hint(text({"convert the model to a supported type, for example q8_0 or q4_k",
                         "请将模型转换为受支持的类型，例如 q8_0 或 q4_k"}));
  if (columns % t.block_elements != 0)
    return error(ErrorCode::bad_input,
                 {"a row of {} elements is no whole number of {} blocks ({} elements each)",
                  "一行有 {} 个元素，不是 {} 块（每块 {} 个元素）的整数倍"},
                 columns, t.name, t.block_elements);
  const auto panel = panel_bytes_of(*format, columns);
  std::uint64_t bytes = 0;
  if (!panel || __builtin_mul_overflow(*panel, panel_count(rows), &bytes) || bytes >> 63 != 0)
    return error(ErrorCode::bad_input,
                 {"a matrix of {} x {} {} elements is too large", "{} x {} 的 {} 矩阵过大"}, rows,
                 columns, t.name);
  return bytes;
}

PackedMatrix view_of(DType dtype, std::uint64_t rows, std::uint64_t columns,
                     const std::byte* data) {
  const PackedFormat* format = packed_format(dtype);
  assert(format != nullptr);
  return {data,  rows,           columns,        *panel_bytes_of(*format, columns),
          dtype, format->layout, format->scales, format->zero};
}

std::uint64_t quantized_bytes(std::uint64_t rows, std::uint64_t columns) {
  const QuantizedStrides strides = quantized_strides(columns);
  constexpr std::uint64_t words_a_group = 4;  // scale, sum of 32, two sums of 16
  return rows * (strides.codes * sizeof(std::int16_t) + 2 * strides.bytes + strides.chunks +
                 strides.groups * words_a_group * sizeof(float));
}

QuantizedRows quantized_rows_at(std::byte* memory, std::uint64_t rows, std::uint64_t columns) {
  const QuantizedStrides strides = quantized_strides(columns);
  QuantizedRows out{};
  out.code_stride = strides.codes;
  out.byte_stride = strides.bytes;
  out.chunk_stride = strides.chunks;
  out.group_stride = strides.groups;
  out.codes = reinterpret_cast<std::int16_t*>(memory);
  memory += rows * strides.codes * sizeof(std::int16_t);
  out.high = reinterpret_cast<std::int8_t*>(memory);
  memory += rows * strides.bytes;
  out.low = reinterpret_cast<std::int8_t*>(memory);
  memory += rows * strides.bytes;
  out.fine = reinterpret_cast<std::uint8_t*>(memory);
  memory += rows * strides.chunks;
  out.scales = reinterpret_cast<float*>(memory);
  memory += rows * strides.groups * sizeof(float);
  out.minus_sums32 = reinterpret_cast<std::int32_t*>(memory);
  memory += rows * strides.groups * sizeof(std::int32_t);
  out.minus_sums16 = reinterpret_cast<std::int32_t*>(memory);
  return out;
}

const QuantizeKernel& quantize_kernel(Isa isa) {
  switch (vectors_of(isa)) {
    case Isa::avx2:
      return quantize_avx2;
    case Isa::avx512:
      return quantize_avx512;
    default:
      return quantize_ref;
  }
}

std::uint64_t tile_rows_bytes(std::uint64_t rows, std::uint64_t columns) {
  return rounded_up(rows, 16) * rounded_up(columns, 32) * sizeof(std::uint16_t);
}

TileRows tile_rows_at(std::byte* memory, std::uint64_t columns) {
  return {reinterpret_cast<std::uint16_t*>(memory), 16 * rounded_up(columns, 32)};
}

const RoundKernel& round_kernel() { return round_amx; }

ActivationKind activation_kind(Layout layout) {
  return layout <= Layout::bf16 ? ActivationKind::f32 : ActivationKind::int16;
}

std::string_view name_of(Layout layout) { return layout_names[static_cast<std::size_t>(layout)]; }

const MatmulKernel* matmul_kernel(Isa isa, Layout layout) {
  const auto index = static_cast<std::size_t>(layout);
  switch (vectors_of(isa)) {
    case Isa::ref:
      return ref_kernels[index];
    case Isa::avx2:
      return avx2_kernels[index];
    case Isa::avx512:
      return avx512_kernels[index];
    default:
      return nullptr;
  }
}

const MatmulKernel* tile_kernel(Isa isa, Layout layout) {
  const TileKernels& kernels = *tile_kernels[static_cast<std::size_t>(layout)];
  if (isa == Isa::amx) return &kernels.hardware;
  if (isa == Isa::amx_emulated) return &kernels.emulated;
  return nullptr;
}

std::string_view name_of(ProductPath path) {
  constexpr std::string_view names[] = {"scalar", "floats", "integers", "tiles"};
  return names[static_cast<std::size_t>(path)];
}

ProductPath product_path(Isa isa, const MatmulKernel& kernel, const MatmulKernel* on_tiles) {
  if (isa == Isa::ref) return ProductPath::scalar;
  if (on_tiles != nullptr) return isa == Isa::amx ? ProductPath::tiles : ProductPath::scalar;
  return kernel.activations == ActivationKind::int16 ? ProductPath::integers : ProductPath::floats;
}

ProductPath fast_path(Isa isa) {
  return isa == Isa::amx ? ProductPath::tiles : ProductPath::integers;
}

}  // namespace premise
