// e^x for x <= 0, four at a time, the same bits on every machine.
//
// Drawing from 262,144 logits takes as many exponentials, and libm's is neither vectorized by every
// compiler nor equal between C libraries, so that one seed would give two texts. This one is only
// IEEE additions and multiplications (the build forbids contraction to FMA): x = n ln 2 + r with n
// the nearest integer, e^r by its Taylor series to r^7 (|r| <= ln 2 / 2, remainder < 6e-9), and n
// put into the exponent. Error below 2e-7 of the result (exponential_test.cpp). ln 2 in two parts:
// Cody and Waite, "Software Manual for the Elementary Functions", 1980.
#pragma once

#include <cstdint>
#include <cstring>

namespace premise {

using Floats = float __attribute__((vector_size(16)));
using Masks = std::int32_t __attribute__((vector_size(16)));  // of comparisons: -1 or 0

/// Below this e^x nears the least normal float and counts as 0.
inline constexpr float least_exponent = -87.0f;

inline Floats load_floats(const float* from) {
  Floats values;
  std::memcpy(&values, from, sizeof values);
  return values;
}

inline Floats all_lanes(float value) { return Floats{value, value, value, value}; }

/// 0 where x is NaN or below least_exponent. x <= 0.
inline Floats exp_nonpositive(Floats x) {
  using Bits = std::uint32_t __attribute__((vector_size(16)));
  constexpr float log2_e = 1.44269504f;
  constexpr float ln2_high = 0.693359375f;  // 9 bits: n * ln2_high is exact
  constexpr float ln2_low = -2.12194440e-4f;
  constexpr float to_integer = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer, …

  const Masks counts = x >= least_exponent;
  const Floats safe = counts ? x : Floats{};
  const Floats shifted = safe * log2_e + to_integer;
  const Floats n = shifted - to_integer;
  const Floats r = (safe - n * ln2_high) - n * ln2_low;
  Floats power = all_lanes(1.0f / 5040.0f);
  power = power * r + 1.0f / 720.0f;
  power = power * r + 1.0f / 120.0f;
  power = power * r + 1.0f / 24.0f;
  power = power * r + 1.0f / 6.0f;
  power = power * r + 0.5f;
  power = power * r + 1.0f;
  power = power * r + 1.0f;
  Bits bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = (bits << 23) + (127u << 23);  // … whose low bits stand at the end of the mantissa
  Floats scale;
  std::memcpy(&scale, &bits, sizeof scale);
  return counts ? power * scale : Floats{};
}

}  // namespace premise
