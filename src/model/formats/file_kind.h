// What a file is, by its first bytes: names lie, and what people hand to a loader by mistake is
// nearly always one of a dozen things, each with its own remedy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/text.h"

namespace premise {

enum class FileKind {
  gguf,
  old_ggml,
  safetensors,
  zip,
  pickle,
  hdf5,
  html,
  lfs_pointer,
  json,
  compressed,
  tar,
  program,
  empty,
  zeros,
  unknown,
};

/// `head` is the file's beginning (512 bytes tell everything apart), `size` its whole length.
FileKind file_kind(std::span<const std::byte> head, std::uint64_t size);

/// "a safetensors file", and what to do about it (empty for gguf).
struct FileKindText {
  Text name;
  Text hint;
};
FileKindText describe(FileKind kind);

}  // namespace premise
