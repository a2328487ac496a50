// Q8_0.
#include "numerics/kernels/avx2/matmul_integer.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {

constinit const MatmulKernel matmul_p8_avx2 = {
    "matmul.p8.avx2",
    ActivationKind::int16,
    sizeof(Scratch),
    run_layout<Layout::p8, ScaleKind::f16>,
};

}  // namespace premise
