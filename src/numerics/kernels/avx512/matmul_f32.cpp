#include "numerics/kernels/avx512/matmul_plain.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {

constinit const MatmulKernel matmul_f32_avx512 = {
    "matmul.f32.avx512",
    ActivationKind::f32,
    sizeof(PlainScratch),
    Plain<Layout::f32>::run,
};

}  // namespace premise
