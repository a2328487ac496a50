// IQ4_NL, IQ4_XS.
#include "numerics/kernels/avx2/matmul_integer.h"
#include "numerics/kernels/matmul_kernels.h"

namespace premise {

constinit const MatmulKernel matmul_t4_avx2 = {
    "matmul.t4.avx2",
    ActivationKind::int16,
    sizeof(Scratch),
    run_layout<Layout::t4, ScaleKind::f16, ScaleKind::super32>,
};

}  // namespace premise
