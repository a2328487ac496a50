// Q5_0, Q5_1, Q5_K.
#include "numerics/kernels/avx2/matmul_integer.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {

constinit const MatmulKernel matmul_p5_avx2 = {
    "matmul.p5.avx2",
    ActivationKind::int16,
    sizeof(Scratch),
    run_layout<Layout::p5, ScaleKind::f16, ScaleKind::f16_min, ScaleKind::super32_min>,
};

}  // namespace premise
