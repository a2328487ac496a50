// Q6_K.
#include "numerics/kernels/avx512/matmul_integer.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {

constinit const MatmulKernel matmul_p6_avx512 = {
    "matmul.p6.avx512",
    ActivationKind::int16,
    sizeof(Scratch),
    run_layout<Layout::p6, ScaleKind::super16>,
};

}  // namespace premise
