// Q4_0, Q4_1, Q4_K.
#include "numerics/kernels/avx512/matmul_integer.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {

constinit const MatmulKernel matmul_p4_avx512 = {
    "matmul.p4.avx512",
    ActivationKind::int16,
    sizeof(Scratch),
    run_layout<Layout::p4, ScaleKind::f16, ScaleKind::f16_min, ScaleKind::super32_min>,
};

}  // namespace premise
