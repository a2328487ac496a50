// Every kernel of matrix multiplication, one constant a file. Only matmul.cpp chooses among them.
#pragma once

#include "numerics/kernels/contracts/matmul.h"

namespace premise {

extern const QuantizeKernel quantize_ref;

extern const MatmulKernel matmul_f32_ref, matmul_f16_ref, matmul_bf16_ref;
extern const MatmulKernel matmul_p2_ref, matmul_p3_ref, matmul_p4_ref, matmul_p5_ref,
    matmul_p6_ref, matmul_p8_ref, matmul_t4_ref;

}  // namespace premise
