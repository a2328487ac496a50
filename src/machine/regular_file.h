// Reading what may be anything: a file of /proc, a damaged recording, a pipe in a file's place.
#pragma once

#include <filesystem>

#include "machine/source.h"

namespace premise {

/// Reads a regular file, never waiting for a pipe or a device in its place (`failed`).
FileAnswer read_regular_file(const std::filesystem::path& path, std::size_t limit);

/// The names in a folder, sorted.
FolderAnswer list_names(const std::filesystem::path& path);

/// What errno says of a path that could not be opened.
AnswerState state_of_errno(int number);

}  // namespace premise
