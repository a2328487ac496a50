// "No kernel image is available for execution on the device", said before it happens: the
// architectures that a program was built for against the cards of this machine.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "machine/gpu/gpus.h"

namespace premise {

/// What is wrong for the first card on which a program cannot run, or nothing. `program` is its
/// name in the sentence ("PyTorch 2.9"); `driver_compiles` says whether the driver can compile PTX
/// of the program's CUDA release.
std::optional<Text> kernel_trouble(const Gpus& gpus, const std::string& program,
                                   const std::vector<std::string>& architectures,
                                   bool driver_compiles);

}  // namespace premise
