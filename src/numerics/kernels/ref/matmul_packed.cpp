// The packed scalar kernels: contracts/matmul.h read aloud. Vector kernels must agree with them bit
// for bit; their own check is the oracle in matmul_oracle.cpp. One body serves every layout, so the
// constants of all layouts stand here together.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "numerics/kernels/matmul_kernels.h"
#include "numerics/kernels/packed_group.h"
#include "numerics/quant/half.h"

namespace premise {
namespace {

// acc after one group of one row and one token.
float add_group(const PackedMatrix& weights, const GroupValues& w, const QuantizedRows& x,
                std::size_t token, std::uint64_t group, float acc) {
  const std::uint32_t span = scale_columns(weights.scales);
  const std::int16_t* q = x.codes + token * x.code_stride + group * group_columns;
  const float a = x.scales[token * x.group_stride + group];
  for (std::uint32_t begin = 0; begin < group_columns; begin += span) {
    std::int32_t dot = 0;
    std::int32_t minus_sum = 0;
    for (std::uint32_t k = begin; k < begin + span; ++k) {
      const std::int32_t activation = q[k / 4 * 4 + quad_order[k % 4]];
      dot += (w.code[k] - weights.zero) * activation;
      minus_sum -= activation;
    }
    float t = static_cast<float>(dot) * w.scale[begin / 16];
    if (has_min(weights.scales)) t = std::fma(w.min[begin / 16], static_cast<float>(minus_sum), t);
    acc = std::fma(t, a, acc);
  }
  return acc;
}

void run_integer(const PackedMatrix& weights, std::uint64_t panel_begin, std::uint64_t panel_end,
                 const Activations& input, std::size_t row_count, float* y, std::size_t y_stride,
                 void*) {
  const std::uint64_t row_end = std::min(weights.rows, panel_end * panel_rows);
  GroupValues w;
  for (std::uint64_t row = panel_begin * panel_rows; row < row_end; ++row) {
    for (std::size_t t = 0; t < row_count; ++t) y[t * y_stride + row] = 0;
    for (std::uint64_t g = 0; g < weights.columns / group_columns; ++g) {
      read_group(weights, row, g, w);
      for (std::size_t t = 0; t < row_count; ++t) {
        float& acc = y[t * y_stride + row];
        acc = add_group(weights, w, input.quantized, t, g, acc);
      }
    }
  }
}

float same(float value) { return value; }

template <typename Element, float (*to_f32)(Element)>
void run_plain(const PackedMatrix& weights, std::uint64_t panel_begin, std::uint64_t panel_end,
               const Activations& input, std::size_t row_count, float* y, std::size_t y_stride,
               void*) {
  const std::uint64_t row_end = std::min(weights.rows, panel_end * panel_rows);
  for (std::uint64_t row = panel_begin * panel_rows; row < row_end; ++row) {
    const std::byte* lane =
        weights.data + row / panel_rows * weights.panel_bytes + row % panel_rows * sizeof(Element);
    for (std::size_t t = 0; t < row_count; ++t) {
      float acc = 0;
      for (std::uint64_t k = 0; k < weights.columns; ++k) {
        Element element;
        std::memcpy(&element, lane + k * panel_rows * sizeof element, sizeof element);
        acc = std::fma(to_f32(element), input.x[t * input.x_stride + k], acc);
      }
      y[t * y_stride + row] = acc;
    }
  }
}

}  // namespace

const MatmulKernel matmul_f32_ref = {"matmul.f32.ref", ActivationKind::f32, 0,
                                     run_plain<float, same>};
const MatmulKernel matmul_f16_ref = {"matmul.f16.ref", ActivationKind::f32, 0,
                                     run_plain<std::uint16_t, f16_to_f32>};
const MatmulKernel matmul_bf16_ref = {"matmul.bf16.ref", ActivationKind::f32, 0,
                                      run_plain<std::uint16_t, bf16_to_f32>};
const MatmulKernel matmul_p2_ref = {"matmul.p2.ref", ActivationKind::int16, 0, run_integer};
const MatmulKernel matmul_p3_ref = {"matmul.p3.ref", ActivationKind::int16, 0, run_integer};
const MatmulKernel matmul_p4_ref = {"matmul.p4.ref", ActivationKind::int16, 0, run_integer};
const MatmulKernel matmul_p5_ref = {"matmul.p5.ref", ActivationKind::int16, 0, run_integer};
const MatmulKernel matmul_p6_ref = {"matmul.p6.ref", ActivationKind::int16, 0, run_integer};
const MatmulKernel matmul_p8_ref = {"matmul.p8.ref", ActivationKind::int16, 0, run_integer};
const MatmulKernel matmul_t4_ref = {"matmul.t4.ref", ActivationKind::int16, 0, run_integer};

}  // namespace premise
