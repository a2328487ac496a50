// Attention over the paged cache, by instruction set and element type of the cache. What it
// computes: contracts/attention.h.
#pragma once

#include "numerics/device/isa.h"
#include "numerics/kernels/contracts/attention.h"
#include "numerics/tensor/dtype.h"

namespace premise {

/// The kernel of one instruction set, which the machine must offer (widest_isa()), for a cache of
/// one type; null where there is none for that type.
///
/// Against `ref` of the same type, which computes in double: every output within
/// attention_tolerance of the largest |value| that its query sees, for |scores| up to about 30 (an
/// error of the score in f32, about 1e-7 times its terms, is an error of its weight as large). avx2
/// and avx512 agree bit for bit, and so do f32 and each other type over numbers that it holds. What
/// all of them write is what ref writes.
const AttentionKernel* attention_kernel(Isa isa, DType cache_type);

inline constexpr float attention_tolerance = 1e-5f;

}  // namespace premise
