// One worker at a time, across processes.
#pragma once

#include <filesystem>

#include "store/files.h"

namespace premise {

/// An exclusive lock tied to a file, given back when this object or its process ends, even by
/// SIGKILL. The lock file is removed by its holder.
class FileLock {
 public:
  /// Waits for the lock; says so once through hooks.notice where it is taken, and ends with
  /// ErrorCode::cancelled where the caller stops it. `what` names the thing in that line.
  static Result<FileLock> acquire(const std::filesystem::path& path, std::string_view what,
                                  const WorkHooks& hooks);

  FileLock(FileLock&& other) noexcept : file_(std::move(other.file_)) {}
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(File file) : file_(std::move(file)) {}
  File file_;
};

}  // namespace premise
