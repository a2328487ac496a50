// A regular file, mapped read-only. Weights are used where they lie: nothing is copied, pages come
// in as they are read, and the page cache is shared by every process that serves the same model.
//
// What a mapping cannot promise. A file that is replaced by rename (as the store and every package
// manager do) is safe: the mapping keeps the old one. A file that is truncated in place, or whose
// disk or network share fails, is not: the next touch of a page that is gone raises SIGBUS, and
// POSIX offers no error to return instead. A handler that unwinds out of compute loops would have
// to be a process-wide affair of the program, not of a library, so that this class does the three
// things it can: it refuses what is no regular file, it takes the size from the open descriptor
// (so that every check is made against the mapping's true length), and check_unchanged() tells a
// loader that the bytes it has just read may be a mixture of two files. Rejected: read() into own
// memory (twice the memory, a cold start on every start), and leases or locks (advisory on Linux).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"

namespace premise {

/// Which contents of which file: a file that was written to, or replaced, has another one.
struct FileIdentity {
  std::uint64_t device = 0, inode = 0;
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;  // since 1970
  std::int64_t changed_ns = 0;   // the inode; cannot be set back, as the other can
  bool operator==(const FileIdentity&) const = default;
};

/// Of the file that stands at a path now, or nothing where no regular file does.
std::optional<FileIdentity> identity_of_file(const std::filesystem::path& path);

class MappedFile {
 public:
  /// Maps the whole file. Errors: bad_input where it is missing, unreadable, or no regular file;
  /// no_resources where descriptors or address space run out. An empty file maps to no bytes.
  static Result<MappedFile> open(const std::filesystem::path& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  /// Lives as long as this object; moving the object does not move the bytes.
  std::span<const std::byte> bytes() const { return {data_, size_}; }

  /// As it was given, for messages.
  const std::string& path() const { return path_; }

  /// As it was when it was opened.
  const FileIdentity& identity() const { return identity_; }

  enum class Access { normal, sequential, random, will_need };

  /// Hints how a range of bytes() will be read. Only speed depends on it.
  void advise(std::span<const std::byte> range, Access access) const;

  /// Drops the whole pages inside a range of bytes() from resident memory; they stay in the page
  /// cache, and reading them again faults them in. A page that the range only touches stays.
  void release(std::span<const std::byte> range) const;

  /// An Error where the file's length or modification time is no longer that of open(): somebody
  /// writes to it in place, and what was read is not to be trusted.
  Status check_unchanged() const;

 private:
  MappedFile() = default;
  void close() noexcept;

  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  int descriptor_ = -1;
  FileIdentity identity_;
  std::string path_;
};

}  // namespace premise
