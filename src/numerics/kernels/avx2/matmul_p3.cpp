// Q3_K.
#include "numerics/kernels/avx2/matmul_integer.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {

constinit const MatmulKernel matmul_p3_avx2 = {
    "matmul.p3.avx2",
    ActivationKind::int16,
    sizeof(Scratch),
    run_layout<Layout::p3, ScaleKind::super16>,
};

}  // namespace premise
