// Attention over the paged cache, by instruction set. What it computes: contracts/attention.h.
#pragma once

#include "numerics/device/isa.h"
#include "numerics/kernels/contracts/attention.h"

namespace premise {

/// The kernel of one instruction set; the machine must offer it (widest_isa()).
///
/// Against `ref`, which computes in double: every output within attention_tolerance of the largest
/// |value| that its query sees, for |scores| up to about 30 (an error of the score in f32, about
/// 1e-7 times its terms, is an error of its weight as large). avx2 and avx512 agree bit for bit.
const AttentionKernel& attention_kernel(Isa isa);

inline constexpr float attention_tolerance = 1e-5f;

}  // namespace premise
