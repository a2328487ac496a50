// The small operations of a layer for this instruction set: its Vector, the common body, one
// symbol.
// In this order: each stands on the one before.
#include "numerics/kernels/contracts/elementwise.h"

#include "numerics/kernels/avx512/elementwise_vector.h"

#include "numerics/kernels/elementwise_math.h"

#include "numerics/kernels/elementwise_body.h"

namespace premise {

extern const ElementwiseKernels elementwise_avx512;
constinit const ElementwiseKernels elementwise_avx512 = {
    "elementwise.avx512", rms_norm,  add_rows,     scale_row, softcap, silu_mul,
    gelu_tanh_mul,        rope_half, rope_adjacent};

}  // namespace premise
