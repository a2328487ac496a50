// The two values of a logit that are no number: forbidden (minus infinity) and broken (NaN).
#pragma once

#include <limits>

namespace premise {

inline constexpr float infinity = std::numeric_limits<float>::infinity();
inline constexpr float nan = std::numeric_limits<float>::quiet_NaN();

}  // namespace premise
