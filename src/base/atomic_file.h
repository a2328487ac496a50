// A file that is replaced whole or not at all: written beside its name, made durable, renamed over.
// A process killed or a machine without power at any moment leaves the old contents or the new.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.h"

namespace premise {

class AtomicFile {
 public:
  /// Begins a new version of `path`, in its folder (a rename works only within a file system).
  static Result<AtomicFile> create(const std::filesystem::path& path);

  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&& other) = delete;
  /// Without commit(): the new version is discarded.
  ~AtomicFile();

  /// A full disk or quota is no_resources. After an error only destruction is left.
  Status write(std::string_view bytes);

  /// The new version is in place and on the disk when this returns ok.
  Status commit();

 private:
  AtomicFile(std::filesystem::path path, std::filesystem::path temporary, int descriptor)
      : path_(std::move(path)), temporary_(std::move(temporary)), descriptor_(descriptor) {}

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_;
};

/// create, write, commit.
Status replace_file(const std::filesystem::path& path, std::string_view contents);

}  // namespace premise
