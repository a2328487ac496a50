// Q6_K.
#include "numerics/kernels/avx2/matmul_integer.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {

constinit const MatmulKernel matmul_p6_avx2 = {
    "matmul.p6.avx2",
    ActivationKind::int16,
    sizeof(Scratch),
    run_layout<Layout::p6, ScaleKind::super16>,
};

}  // namespace premise
