// A file that appears whole or not at all: written under a temporary name beside its place, flushed
// to the disk, then renamed over it. A reader, a crash or a full disk never meets half a model, and
// a model that is being served from the old file keeps it.
//
// What is written goes on to the disk as it comes. Left to itself the system takes gigabytes into
// memory at once, and progress would stand at its end for as long as commit() flushes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "base/result.h"

namespace premise {

class OutputFile {
 public:
  /// Creates the temporary file. Errors: bad_input where the folder can't be written to.
  static Result<OutputFile> create(const std::filesystem::path& path);

  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  OutputFile(const OutputFile&) = delete;
  ~OutputFile();  // without commit(), removes the temporary file

  /// Appends. A full disk is no_resources.
  Status write(std::span<const std::byte> bytes);

  /// Flushes and renames; the file is visible from here on. To be called once, last.
  Status commit();

 private:
  OutputFile() = default;
  Error failed(int number) const;
  Status send_on();

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
  std::uint64_t written_ = 0;  // bytes
  std::uint64_t sent_ = 0;     // of them, whole windows that are on their way to the disk
};

}  // namespace premise
