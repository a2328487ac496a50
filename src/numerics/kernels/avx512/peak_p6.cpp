// Q6_K.
#include "numerics/kernels/avx512/peak_integer.h"

namespace premise {

extern const PeakKernel peak_p6_avx512;
constinit const PeakKernel peak_p6_avx512 = {
    "peak.p6.avx512",
    Coarse<Layout::p6, ScaleKind::super16>::norms,
    Coarse<Layout::p6, ScaleKind::super16>::bound,
};

}  // namespace premise
