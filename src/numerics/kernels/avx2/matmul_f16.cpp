#include "numerics/kernels/avx2/matmul_plain.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {

constinit const MatmulKernel matmul_f16_avx2 = {
    "matmul.f16.avx2",
    ActivationKind::f32,
    sizeof(PlainScratch),
    Plain<Layout::f16>::run,
};

}  // namespace premise
