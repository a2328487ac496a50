// Q3_K.
#include "numerics/kernels/avx512/matmul_integer.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {

constinit const MatmulKernel matmul_p3_avx512 = {
    "matmul.p3.avx512",
    ActivationKind::int16,
    sizeof(Scratch),
    run_layout<Layout::p3, ScaleKind::super16>,
};

}  // namespace premise
