#include "base/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace premise {
namespace {

Error failed(const std::filesystem::path& path, int number) {
  const bool full = number == ENOSPC || number == EDQUOT || number == EFBIG || number == EMFILE;
  return error(full ? ErrorCode::no_resources : ErrorCode::bad_input,
               {"{}: cannot be written: {}", "{}：无法写入：{}"}, path.string(),
               std::strerror(number));
}

/// A rename is durable once the folder that holds the names is.
Status sync_folder_of(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return failed(folder, errno);
  const int number = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  // EINVAL: file systems that keep no folders of their own have nothing to sync.
  if (number != 0 && number != EINVAL) return failed(folder, number);
  return {};
}

}  // namespace

Result<AtomicFile> AtomicFile::create(const std::filesystem::path& path) {
  constexpr int attempts = 100;  // leftovers of killed processes may hold a few names
  for (int attempt = 0; attempt < attempts; ++attempt) {
    std::filesystem::path temporary = path;
    temporary += fmt::format(".new-{}-{}", ::getpid(), attempt);
    // Not mkstemp: its mode 0600 would replace what the user's umask says.
    const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0) return AtomicFile(path, std::move(temporary), descriptor);
    if (errno != EEXIST) return failed(path, errno);
  }
  return failed(path, EEXIST);
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::move(other.temporary_)),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

Status AtomicFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed(path_, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Status AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) return failed(path_, errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return failed(path_, errno);
  ::close(std::exchange(descriptor_, -1));
  return sync_folder_of(path_);
}

Status replace_file(const std::filesystem::path& path, std::string_view contents) {
  PREMISE_TRY(AtomicFile file, AtomicFile::create(path));
  PREMISE_CHECK(file.write(contents));
  return file.commit();
}

}  // namespace premise
