// Files the way a store needs them: every failure is an Error that names the path, a full disk is
// told from everything else, and writes can be made durable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "store/work.h"

namespace premise {

/// An open file descriptor. Not thread-safe; closes itself.
class File {
 public:
  /// Opens a regular file for reading; anything else is bad_input.
  static Result<File> open(const std::filesystem::path& path);
  /// Opens for reading and writing, made where missing, contents kept.
  static Result<File> open_or_create(const std::filesystem::path& path);

  File(File&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}
  File& operator=(File&& other) noexcept;
  ~File();

  const std::filesystem::path& path() const { return path_; }
  int descriptor() const { return descriptor_; }

  Result<std::uint64_t> size() const;
  /// Reads on; 0 at the end.
  Result<std::size_t> read(std::span<std::byte> into);
  /// Writes everything. A full disk, quota or file size limit is no_resources.
  Status write(std::span<const std::byte> bytes);
  /// Cuts (or extends) the file and goes on at its new end.
  Status truncate(std::uint64_t bytes);
  /// Contents are on the disk when this returns ok.
  Status sync();

 private:
  File(int descriptor, std::filesystem::path path)
      : descriptor_(descriptor), path_(std::move(path)) {}
  int descriptor_ = -1;
  std::filesystem::path path_;
};

/// Makes a rename or an unlink in `folder` durable.
Status sync_folder(const std::filesystem::path& folder);

/// Makes `folder` and what leads to it.
Status make_folders(const std::filesystem::path& folder);

/// Removes a file; one that is not there is removed already.
Status remove_file(const std::filesystem::path& path);

/// The size of a regular file, or nothing.
std::optional<std::uint64_t> regular_file_bytes(const std::filesystem::path& path);

/// no_resources where less than `bytes` are free for this user on the file system of `folder`.
Status check_free_space(const std::filesystem::path& folder, std::uint64_t bytes);

/// One pass over a file, any number of digests; reports WorkStage::checking.
Result<std::vector<std::string>> hash_file(const std::filesystem::path& path,
                                           std::span<const HashKind> kinds, const WorkHooks& hooks);

/// Copies `from` over `to` and returns the SHA-256 of what `to` holds now, synced. Shares the
/// blocks where the file system can (reflink), else reads once and writes once.
Result<std::string> copy_file_hashed(const std::filesystem::path& from,
                                     const std::filesystem::path& to, const WorkHooks& hooks);

}  // namespace premise
