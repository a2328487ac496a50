// What a command's MODEL argument stands for.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/language.h"
#include "base/result.h"
#include "store/model_name.h"

namespace premise {

/// The file behind a MODEL argument.
struct ModelFile {
  std::filesystem::path path;
  std::optional<ModelName> name;  // where it came from the store
  std::string sha256 = {};        // of its contents, likewise
};

/// MODEL is a path where it looks like one (has a '/', begins with '.' or '~', or ends like a model
/// file); else a name in the store; else a file or folder of that name in the working directory.
/// Paths are not opened. An unknown one is an Error (usage) with the nearest names; the store is
/// only opened for names.
Result<ModelFile> resolve_model(std::string_view model, const Environment& environment);

}  // namespace premise
