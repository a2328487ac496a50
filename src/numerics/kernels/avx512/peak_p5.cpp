// Q5_0.
#include "numerics/kernels/avx512/peak_integer.h"

namespace premise {

extern const PeakKernel peak_p5_avx512;
constinit const PeakKernel peak_p5_avx512 = {
    "peak.p5.avx512",
    Coarse<Layout::p5, ScaleKind::f16>::norms,
    Coarse<Layout::p5, ScaleKind::f16>::bound,
};

}  // namespace premise
