// Attention for this instruction set: its Vector, the common body, one symbol.
// In this order: each stands on the one before.
#include "numerics/kernels/contracts/attention.h"

#include "numerics/kernels/avx2/elementwise_vector.h"

#include "numerics/kernels/elementwise_math.h"

#include "numerics/kernels/attention_elements.h"

#include "numerics/kernels/attention_products.h"

#include "numerics/kernels/attention_body.h"

namespace premise {

extern const AttentionKernels attention_avx2;
constinit const AttentionKernels attention_avx2 = {
    .f16 = {"attention.f16.avx2", write<std::uint16_t>, scratch_floats, run<std::uint16_t>},
    .f32 = {"attention.f32.avx2", write<float>, scratch_floats, run<float>},
    .q8_0 = {"attention.q8_0.avx2", write<std::int8_t>, scratch_floats, run<std::int8_t>},
};

}  // namespace premise
