// Q8_0.
#include "numerics/kernels/avx512/peak_integer.h"

namespace premise {

extern const PeakKernel peak_p8_avx512;
constinit const PeakKernel peak_p8_avx512 = {
    "peak.p8.avx512",
    Coarse<Layout::p8, ScaleKind::f16>::norms,
    Coarse<Layout::p8, ScaleKind::f16>::bound,
};

}  // namespace premise
