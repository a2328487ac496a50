// Attention for this instruction set: its Vector, the common body, one symbol.
// In this order: each stands on the one before.
#include "numerics/kernels/contracts/attention.h"

#include "numerics/kernels/avx512/elementwise_vector.h"

#include "numerics/kernels/elementwise_math.h"

#include "numerics/kernels/attention_products.h"

#include "numerics/kernels/attention_body.h"

namespace premise {

extern const AttentionKernel attention_avx512;
constinit const AttentionKernel attention_avx512 = {"attention.avx512", scratch_floats, run};

}  // namespace premise
