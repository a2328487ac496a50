#include "numerics/kernels/peak.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "numerics/kernels/contracts/packed_layout.h"
#include "numerics/kernels/matmul.h"

namespace premise {

extern const PeakKernel peak_p4_avx512, peak_p5_avx512, peak_p6_avx512, peak_p8_avx512;

namespace {

struct CoarseStrides {
  std::uint64_t codes;   // elements
  std::uint64_t groups;  // elements
};

CoarseStrides coarse_strides(std::uint64_t columns) {
  assert(columns % group_columns == 0);
  const auto lines = [](std::uint64_t bytes) { return (bytes + 63) / 64 * 64; };
  return {lines(columns), lines(columns / group_columns * sizeof(float)) / sizeof(float)};
}

// Σ l² of a group, and what the group adds to the row of `out`.
struct GroupSums {
  std::int64_t rest_squares = 0;
  std::int64_t squares = 0;
};

GroupSums coarsen_group(const std::int16_t* in, std::int8_t* out, std::int32_t* minus_halves) {
  GroupSums sums;
  for (std::uint32_t half = 0; half < 2; ++half) {
    std::int32_t sum = 0;
    for (std::uint32_t c = 16 * half; c < 16 * half + 16; ++c) {
      // Codes lie in quad_order, which is its own inverse.
      const std::int32_t q = in[c / 4 * 4 + quad_order[c % 4]];
      const std::int32_t h = (q + 128) >> 8;
      const std::int32_t rest = q - 256 * h;
      out[c] = static_cast<std::int8_t>(h);
      sum += h;
      sums.rest_squares += std::int64_t{rest} * rest;
      sums.squares += std::int64_t{q} * q;
    }
    minus_halves[half] = -sum;
  }
  return sums;
}

}  // namespace

const PeakKernel* peak_kernel(Isa isa, const PackedMatrix& matrix) {
  if (vectors_of(isa) != Isa::avx512) return nullptr;
  const auto only = [&](ScaleKind kind, const PeakKernel& kernel) {
    return matrix.scales == kind ? &kernel : nullptr;
  };
  switch (matrix.layout) {
    case Layout::p4:
      return only(ScaleKind::f16, peak_p4_avx512);
    case Layout::p5:
      return only(ScaleKind::f16, peak_p5_avx512);
    case Layout::p6:
      return only(ScaleKind::super16, peak_p6_avx512);
    case Layout::p8:
      return only(ScaleKind::f16, peak_p8_avx512);
    default:
      return nullptr;
  }
}

std::uint64_t peak_block_count(std::uint64_t rows) {
  return (panel_count(rows) + peak_block_panels - 1) / peak_block_panels;
}

std::uint64_t coarse_bytes(std::uint64_t rows, std::uint64_t columns) {
  const CoarseStrides strides = coarse_strides(columns);
  constexpr std::uint64_t words_a_group = 4;  // scale, sum of 32, two sums of 16
  const std::uint64_t row = strides.codes + strides.groups * words_a_group * sizeof(float);
  return (rows * (row + sizeof(float)) + 63) / 64 * 64;
}

CoarseRows coarse_rows_at(std::byte* memory, std::uint64_t rows, std::uint64_t columns) {
  const CoarseStrides strides = coarse_strides(columns);
  CoarseRows out{};
  out.code_stride = strides.codes;
  out.group_stride = strides.groups;
  out.codes = reinterpret_cast<std::int8_t*>(memory);
  memory += rows * strides.codes;
  out.scales = reinterpret_cast<float*>(memory);
  memory += rows * strides.groups * sizeof(float);
  out.minus_sums32 = reinterpret_cast<std::int32_t*>(memory);
  memory += rows * strides.groups * sizeof(std::int32_t);
  out.minus_sums16 = reinterpret_cast<std::int32_t*>(memory);
  memory += rows * strides.groups * 2 * sizeof(std::int32_t);
  out.slack = reinterpret_cast<float*>(memory);
  return out;
}

void coarsen(const QuantizedRows& in, std::size_t from, std::size_t columns, const CoarseRows& out,
             std::size_t to) {
  const std::size_t groups = columns / group_columns;
  double rest = 0.0;
  double whole = 0.0;
  for (std::size_t g = 0; g < groups; ++g) {
    const double a = in.scales[from * in.group_stride + g];
    std::int32_t* halves = out.minus_sums16 + 2 * (to * out.group_stride + g);
    const GroupSums sums =
        coarsen_group(in.codes + from * in.code_stride + g * group_columns,
                      out.codes + to * out.code_stride + g * group_columns, halves);
    out.scales[to * out.group_stride + g] = static_cast<float>(256.0 * a);
    out.minus_sums32[to * out.group_stride + g] = halves[0] + halves[1];
    rest += a * a * static_cast<double>(sums.rest_squares);
    whole += a * a * static_cast<double>(sums.squares);
  }
  const double rounding = std::ldexp(static_cast<double>(groups) + 8.0, -21);
  const double slack = std::sqrt(rest) + std::sqrt(whole) * rounding;
  out.slack[to] = std::nextafter(static_cast<float>(slack), HUGE_VALF);
}

}  // namespace premise
