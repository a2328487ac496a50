// Q2_K.
#include "numerics/kernels/avx2/matmul_integer.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {

constinit const MatmulKernel matmul_p2_avx2 = {
    "matmul.p2.avx2",
    ActivationKind::int16,
    sizeof(Scratch),
    run_layout<Layout::p2, ScaleKind::super16_min>,
};

}  // namespace premise
