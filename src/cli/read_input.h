// Whole texts for commands, from a file or from standard input.
#pragma once

#include <cstdio>
#include <filesystem>
#include <string>

#include "base/result.h"

namespace premise {

/// Everything up to the end of `file`, byte for byte; `name` is for messages.
Result<std::string> read_all(std::FILE* file, const std::string& name);

/// A regular file, byte for byte.
Result<std::string> read_file(const std::filesystem::path& path);

}  // namespace premise
