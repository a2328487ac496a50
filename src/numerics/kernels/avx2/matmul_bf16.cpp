#include "numerics/kernels/avx2/matmul_plain.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {

constinit const MatmulKernel matmul_bf16_avx2 = {
    "matmul.bf16.avx2",
    ActivationKind::f32,
    sizeof(PlainScratch),
    Plain<Layout::bf16>::run,
};

}  // namespace premise
