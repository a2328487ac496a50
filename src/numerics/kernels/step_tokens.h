// How many tokens one step of a model computes where nobody says.
#pragma once

#include <cstddef>

#include "numerics/device/isa.h"

namespace premise {

/// Prompt and answer tokens that the kernels of `isa` take together best.
///
/// With vectors unpacking weights pays from a few dozen tokens on, while the values of more of them
/// leave the second-level cache between two operations. Two cores of a Zen 5, prompts of 512,
/// tokens a second, medians of alternating runs:
///   tokens a step             128    192    256    512
///   Gemma 3 270M Q4_K_M      4016   4000   3990   3700
///   Qwen 2.5 0.5B Q8_0       1520   1499   1439   1375
///   Qwen 2.5 1.5B Q4_K_M      403           392    384
///   16 clients, 256 + 64      591    604    600    594    (output, Gemma 3 270M)
/// Half the step also is half the memory for its values. Tiles take a fraction of the time for the
/// products, which leaves more of a step to unpacking: there 512, reasoned and not measured.
constexpr std::size_t usual_step_tokens(Isa isa) {
  return isa == Isa::amx || isa == Isa::amx_emulated ? 512 : 192;
}

}  // namespace premise
