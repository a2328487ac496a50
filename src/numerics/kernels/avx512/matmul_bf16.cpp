#include "numerics/kernels/avx512/matmul_plain.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {

constinit const MatmulKernel matmul_bf16_avx512 = {
    "matmul.bf16.avx512",
    ActivationKind::f32,
    sizeof(PlainScratch),
    Plain<Layout::bf16>::run,
};

}  // namespace premise
