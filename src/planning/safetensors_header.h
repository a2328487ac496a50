// What a safetensors model holds, from headers alone: eight bytes with a length, then a JSON object
// of names, types, shapes and offsets. Not a byte of a weight is read. Source: the format's
// README (huggingface/safetensors).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "base/result.h"

namespace premise {

struct SafetensorsSummary {
  std::uint64_t tensors = 0;
  std::uint64_t parameters = 0;  // elements of all tensors
  std::uint64_t bytes = 0;       // of all tensors
  std::uint64_t files = 0;
  std::map<std::string, std::uint64_t> bytes_of_type;  // by the format's name: "BF16"

  void add(const SafetensorsSummary& other);
};

/// A whole file in memory; `path` is for messages. Errors (bad_input): a header that is cut off,
/// larger than 32 MB (the format allows 100, no published model comes near) or no JSON; a tensor
/// whose size does not follow from its type and shape, that lies outside the file or on another.
Result<SafetensorsSummary> parse_safetensors(std::span<const std::byte> bytes,
                                             const std::filesystem::path& path);

/// One file; only its header is read.
Result<SafetensorsSummary> read_safetensors(const std::filesystem::path& path);

/// All files of a folder that end in ".safetensors". With model.safetensors.index.json, those that
/// it names; one that is missing is an Error.
Result<SafetensorsSummary> read_safetensors_folder(const std::filesystem::path& folder);

}  // namespace premise
