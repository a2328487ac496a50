// 16-bit floats as bit patterns: IEEE 754 binary16 ("f16") and bfloat16 ("bf16"), to and from f32.
//
// The compiler's own _Float16 is avoided: on the x86-64-v2 baseline it calls library routines, and
// kernels that use F16C must agree with this code bit for bit. So NaNs behave as in hardware: the
// sign and the leading payload bits survive and the result is quiet. Rounding is to nearest, ties
// to even. Nothing here depends on denormal arithmetic of f32, hence not on the FTZ and DAZ flags.
#pragma once

#include <bit>
#include <cstdint>

namespace premise {

inline bool is_finite_f16(std::uint16_t half) { return (half & 0x7c00u) != 0x7c00u; }

/// Exact.
inline float f16_to_f32(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000u) << 16;
  const std::uint32_t body = half & 0x7fffu;
  // Exponents of f16 are biased by 15, of f32 by 127; 31 (Inf, NaN) has to become 255.
  const std::uint32_t normal = (body << 13) + (112u << 23);
  const std::uint32_t quiet = body > 0x7c00u ? 0x400000u : 0u;
  const std::uint32_t special = (normal + (112u << 23)) | quiet;
  const float tiny = static_cast<float>(static_cast<std::int32_t>(body)) * 0x1p-24f;
  const std::uint32_t finite = body < 0x0400u ? std::bit_cast<std::uint32_t>(tiny) : normal;
  return std::bit_cast<float>(sign | (body >= 0x7c00u ? special : finite));
}

/// Rounds to nearest even; magnitudes from 65520 become infinite.
inline std::uint16_t f32_to_f16(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000u;
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  std::uint32_t body;
  if (magnitude > 0x7f800000u) {
    body = 0x7e00u | ((magnitude >> 13) & 0x3ffu);
  } else if (magnitude >= 0x477ff000u) {
    body = 0x7c00u;
  } else if (magnitude < 0x38800000u) {
    // Below 2^-14 the result is a multiple of 2^-24, which is the ulp of 0.5: adding rounds.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    body = std::bit_cast<std::uint32_t>(shifted) - 0x3f000000u;
  } else {
    const std::uint32_t odd = (magnitude >> 13) & 1u;
    body = ((magnitude + 0xfffu + odd) >> 13) - (112u << 10);
  }
  return static_cast<std::uint16_t>(sign | body);
}

/// Exact, except that a signalling NaN becomes quiet where the processor does so.
inline float bf16_to_f32(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

/// Rounds to nearest even; what lies beyond the largest bf16 becomes infinite.
inline std::uint16_t f32_to_bf16(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>((bits >> 16) | 0x40u);
  const std::uint32_t odd = (bits >> 16) & 1u;
  return static_cast<std::uint16_t>((bits + 0x7fffu + odd) >> 16);
}

}  // namespace premise
