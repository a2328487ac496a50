// The door for weights of any format: looks at the file, not at its name, and opens it.
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"
#include "model/formats/tensor_source.h"

namespace premise {

/// Opens a model file, any part of a split model, or a folder that holds exactly one model. What is
/// no model is refused (bad_input) with what it looks like and what to do.
Result<std::unique_ptr<TensorSource>> open_model_file(const std::filesystem::path& path);

}  // namespace premise
