// Models split over several GGUF files: "name-00001-of-00003.gguf" …, each with the keys split.no
// (from 0), split.count and split.tensors.count. Source: gguf-split of the llama.cpp project.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/result.h"
#include "model/formats/metadata.h"

namespace premise::gguf {

/// The numbers in a part's file name; `number` counts from 1.
struct SplitName {
  std::string prefix;  // "name", without folder
  std::uint64_t number = 0;
  std::uint64_t count = 0;

  std::string file(std::uint64_t other_number) const;
};

/// Nothing where the file's name is not that of a part.
std::optional<SplitName> split_name(const std::filesystem::path& path);

/// What a part's metadata says of the split; nothing where the file is whole.
struct SplitKeys {
  std::uint64_t index = 0;  // from 0
  std::uint64_t count = 0;
  std::uint64_t tensors = 0;  // in all parts
};
Result<std::optional<SplitKeys>> split_keys(const Metadata& metadata);

/// The name that agrees with the keys, or an Error: parts are found by name, so that a renamed
/// part can't be completed.
Result<SplitName> check_split_name(const std::filesystem::path& path, const SplitKeys& keys);

}  // namespace premise::gguf
