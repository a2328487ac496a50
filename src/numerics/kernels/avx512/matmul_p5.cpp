// Q5_0, Q5_1, Q5_K.
#include "numerics/kernels/avx512/matmul_integer.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {

constinit const MatmulKernel matmul_p5_avx512 = {
    "matmul.p5.avx512",
    ActivationKind::int16,
    sizeof(Scratch),
    run_layout<Layout::p5, ScaleKind::f16, ScaleKind::f16_min, ScaleKind::super32_min>,
};

}  // namespace premise
