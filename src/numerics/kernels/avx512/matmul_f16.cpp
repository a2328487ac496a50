#include "numerics/kernels/avx512/matmul_plain.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {

constinit const MatmulKernel matmul_f16_avx512 = {
    "matmul.f16.avx512",
    ActivationKind::f32,
    sizeof(PlainScratch),
    Plain<Layout::f16>::run,
};

}  // namespace premise
