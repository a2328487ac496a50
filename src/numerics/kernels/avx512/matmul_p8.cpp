// Q8_0.
#include "numerics/kernels/avx512/matmul_integer.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {

constinit const MatmulKernel matmul_p8_avx512 = {
    "matmul.p8.avx512",
    ActivationKind::int16,
    sizeof(Scratch),
    run_layout<Layout::p8, ScaleKind::f16>,
};

}  // namespace premise
