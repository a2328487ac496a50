#include "numerics/kernels/packed_format.h"

#include <algorithm>
#include <array>

namespace premise {
namespace {

constexpr std::array formats = {
    PackedFormat{DType::f32, Layout::f32, ScaleKind::none, 0, 4},
    PackedFormat{DType::f16, Layout::f16, ScaleKind::none, 0, 2},
    PackedFormat{DType::bf16, Layout::bf16, ScaleKind::none, 0, 2},
    PackedFormat{DType::q4_0, Layout::p4, ScaleKind::f16, 8, 0},
    PackedFormat{DType::q4_1, Layout::p4, ScaleKind::f16_min, 0, 0},
    PackedFormat{DType::q5_0, Layout::p5, ScaleKind::f16, 16, 0},
    PackedFormat{DType::q5_1, Layout::p5, ScaleKind::f16_min, 0, 0},
    PackedFormat{DType::q8_0, Layout::p8, ScaleKind::f16, 128, 0},
    PackedFormat{DType::q2_k, Layout::p2, ScaleKind::super16_min, 0, 0},
    PackedFormat{DType::q3_k, Layout::p3, ScaleKind::super16, 4, 0},
    PackedFormat{DType::q4_k, Layout::p4, ScaleKind::super32_min, 0, 0},
    PackedFormat{DType::q5_k, Layout::p5, ScaleKind::super32_min, 0, 0},
    PackedFormat{DType::q6_k, Layout::p6, ScaleKind::super16, 32, 0},
    PackedFormat{DType::iq4_nl, Layout::t4, ScaleKind::f16, 128, 0},
    PackedFormat{DType::iq4_xs, Layout::t4, ScaleKind::super32, 128, 0},
};

}  // namespace

const PackedFormat* packed_format(DType dtype) {
  const auto found = std::ranges::find(formats, dtype, &PackedFormat::dtype);
  return found == formats.end() ? nullptr : &*found;
}

std::optional<std::uint64_t> panel_bytes_of(const PackedFormat& format, std::uint64_t columns) {
  std::uint64_t bytes = 0;
  if (format.element_bytes != 0) {
    if (__builtin_mul_overflow(columns, panel_rows * format.element_bytes, &bytes) ||
        __builtin_add_overflow(bytes, 63u, &bytes))
      return std::nullopt;
    return bytes & ~std::uint64_t{63};
  }
  const std::uint32_t whole = chunk_bytes(format.layout, format.scales, chunk_groups);
  if (__builtin_mul_overflow(columns / chunk_columns, whole, &bytes)) return std::nullopt;
  const auto tail_groups = static_cast<std::uint32_t>(columns % chunk_columns / group_columns);
  const std::uint32_t tail =
      tail_groups == 0 ? 0 : chunk_bytes(format.layout, format.scales, tail_groups);
  if (__builtin_add_overflow(bytes, tail, &bytes)) return std::nullopt;
  return bytes;
}

}  // namespace premise
