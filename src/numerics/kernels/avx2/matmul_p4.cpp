// Q4_0, Q4_1, Q4_K.
#include "numerics/kernels/avx2/matmul_integer.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {

constinit const MatmulKernel matmul_p4_avx2 = {
    "matmul.p4.avx2",
    ActivationKind::int16,
    sizeof(Scratch),
    run_layout<Layout::p4, ScaleKind::f16, ScaleKind::f16_min, ScaleKind::super32_min>,
};

}  // namespace premise
