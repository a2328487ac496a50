// The small operations of a layer, by instruction set. What each computes: contracts/elementwise.h.
#pragma once

#include "numerics/device/isa.h"
#include "numerics/kernels/contracts/elementwise.h"

namespace premise {

/// The kernels of one instruction set; the machine must offer it (widest_isa()).
///
/// Against `ref`, which computes in double and rounds once: add and scale are equal bit for bit;
/// the rest is within elementwise_tolerance, relative to the largest magnitude that enters a
/// result. avx2 and avx512 agree bit for bit.
const ElementwiseKernels& elementwise_kernels(Isa isa);

inline constexpr float elementwise_tolerance = 2e-6f;  // 16 ulp of f32

}  // namespace premise
