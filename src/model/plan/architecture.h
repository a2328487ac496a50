// What an architecture is. One architecture, one file: src/model/architectures/<name>.cpp exports
// one constant, and CMake writes the table all_architectures() from the file list.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"
#include "model/formats/tensor_source.h"
#include "model/plan/plan.h"

namespace premise {

struct ArchitectureInput {
  const TensorSource& source;
  std::uint64_t context = 0;  // tokens a sequence will have at most; 0: what the model was made for
};

struct Architecture {
  std::string_view name;  // general.architecture of a GGUF file

  /// Reads the architecture's own keys, checks every tensor and lays down the plan.
  Result<Plan> (*plan)(const ArchitectureInput&);
};

/// Every architecture, sorted by file name (written by cmake/PremiseRoom.cmake).
std::span<const Architecture* const> all_architectures();

/// The plan of an opened model; an unknown architecture is an Error that names it and the known.
Result<Plan> plan_model(const ArchitectureInput& input);

}  // namespace premise
