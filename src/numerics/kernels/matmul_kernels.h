// Every kernel of matrix multiplication, one constant a file. Only matmul.cpp chooses among them.
#pragma once

#include "numerics/kernels/contracts/matmul.h"
#include "numerics/kernels/contracts/tile_probe.h"

namespace premise {

extern const QuantizeKernel quantize_ref, quantize_avx2, quantize_avx512;

extern const MatmulKernel matmul_f32_ref, matmul_f16_ref, matmul_bf16_ref;
extern const MatmulKernel matmul_p2_ref, matmul_p3_ref, matmul_p4_ref, matmul_p5_ref, matmul_p6_ref,
    matmul_p8_ref, matmul_t4_ref;

extern const MatmulKernel matmul_f32_avx2, matmul_f16_avx2, matmul_bf16_avx2;
extern const MatmulKernel matmul_p2_avx2, matmul_p3_avx2, matmul_p4_avx2, matmul_p5_avx2,
    matmul_p6_avx2, matmul_p8_avx2, matmul_t4_avx2;

extern const MatmulKernel matmul_f32_avx512, matmul_f16_avx512, matmul_bf16_avx512;
extern const MatmulKernel matmul_p2_avx512, matmul_p3_avx512, matmul_p4_avx512, matmul_p5_avx512,
    matmul_p6_avx512, matmul_p8_avx512, matmul_t4_avx512;

extern const RoundKernel round_amx;
extern const TileProbes tile_probes;  // for tests

extern const TileKernels matmul_f32_amx, matmul_f16_amx, matmul_bf16_amx;
extern const TileKernels matmul_p2_amx, matmul_p3_amx, matmul_p4_amx, matmul_p5_amx, matmul_p6_amx,
    matmul_p8_amx, matmul_t4_amx;

}  // namespace premise
