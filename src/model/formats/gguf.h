// GGUF: one file that holds a model's metadata, tokenizer and weights, made to be mapped.
//
//   header     "GGUF", version, number of tensors, number of metadata pairs
//   metadata   key, type, value …
//   infos      name, dimensions (innermost first), type, offset …
//   padding to general.alignment, then the tensors' bytes, each at an aligned offset
//
// Versions 2 and 3 are the same bytes on little-endian machines. Refused by name: version 1 (32-bit
// counts, gone from the wild since 2023) and big-endian files. Files are hostile until every count,
// length, size and offset was checked; a count is compared with the bytes that are left before
// memory is set aside for it. A tensor without elements is refused: no model needs one, and every
// reader further up would have to think of it. Gaps between tensors are allowed, overlaps not.
// Source: docs/gguf.md of the ggml project.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/formats/metadata.h"
#include "model/formats/tensor_source.h"

namespace premise {

/// What one GGUF file says, checked against its length.
struct GgufContent {
  std::uint32_t version = 0;
  std::uint64_t alignment = 0;
  std::uint64_t data_offset = 0;  // where tensor bytes begin
  Metadata metadata;
  std::vector<TensorInfo> tensors;     // in file order; shapes row-major
  std::vector<std::uint64_t> offsets;  // of each tensor, from the start of the file
};

/// Reads a whole file that lies in memory; `path` is for messages only.
Result<GgufContent> parse_gguf(std::span<const std::byte> bytes, std::string_view path);

/// Opens a file by mapping it. Any part of a split model ("name-00002-of-00003.gguf") opens all of
/// it: the parts lie in one folder, metadata is the first part's.
Result<std::unique_ptr<TensorSource>> open_gguf(const std::filesystem::path& path);

/// The same over bytes that the caller keeps alive; parts of split models are refused.
Result<std::unique_ptr<TensorSource>> open_gguf_bytes(std::span<const std::byte> bytes,
                                                      std::string_view path);

}  // namespace premise
