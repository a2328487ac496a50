// Q4_0.
#include "numerics/kernels/avx512/peak_integer.h"

namespace premise {

extern const PeakKernel peak_p4_avx512;
constinit const PeakKernel peak_p4_avx512 = {
    "peak.p4.avx512",
    Coarse<Layout::p4, ScaleKind::f16>::norms,
    Coarse<Layout::p4, ScaleKind::f16>::bound,
};

}  // namespace premise
