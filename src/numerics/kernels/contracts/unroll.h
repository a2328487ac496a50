// Loops whose index must be a constant: shifts, lanes, registers. Everything is private to the
// including file; no function of it is ever emitted.
#pragma once

#define PREMISE_INLINE inline __attribute__((always_inline))
#define PREMISE_INLINE_LAMBDA __attribute__((always_inline))

namespace premise {
namespace {

/// f.operator()<i>() for i in [begin, end).
template <int begin, int end, typename F>
PREMISE_INLINE void unroll(F f) {
  if constexpr (begin < end) {
    f.template operator()<begin>();
    unroll<begin + 1, end>(f);
  }
}

}  // namespace
}  // namespace premise
