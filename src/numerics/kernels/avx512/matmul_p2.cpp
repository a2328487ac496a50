// Q2_K.
#include "numerics/kernels/avx512/matmul_integer.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {

constinit const MatmulKernel matmul_p2_avx512 = {
    "matmul.p2.avx512",
    ActivationKind::int16,
    sizeof(Scratch),
    run_layout<Layout::p2, ScaleKind::super16_min>,
};

}  // namespace premise
