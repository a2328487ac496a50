#include "model/formats/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>

namespace premise {
namespace {

// Bytes sent to the disk at once, while as many before them may be still on their way: enough to
// keep a fast disk busy, and a second's worth of a slow one.
constexpr std::uint64_t window_bytes = std::uint64_t{32} << 20;

/// Makes a rename in `folder` survive a power cut; a filesystem that can't is left as it is.
void flush_folder(const std::filesystem::path& folder) {
  const int descriptor =
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

Result<OutputFile> OutputFile::create(const std::filesystem::path& path) {
  OutputFile file;
  file.path_ = path;
  // Two writers of one path, in one process or in two, must not share a temporary file.
  for (unsigned attempt = 0; attempt < 1000 && file.descriptor_ < 0; ++attempt) {
    file.temporary_ =
        path.parent_path() /
        fmt::format(".{}.{}-{}.partial", path.filename().string(), ::getpid(), attempt);
    file.descriptor_ =
        ::open(file.temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file.descriptor_ < 0 && errno != EEXIST) break;
  }
  if (file.descriptor_ < 0) return file.failed(errno);
  return file;
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::move(other.temporary_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      written_(other.written_),
      sent_(other.sent_) {}

OutputFile::~OutputFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

Status OutputFile::write(std::span<const std::byte> bytes) {
  assert(descriptor_ >= 0);
  while (!bytes.empty()) {
    // Linux writes at most 2 GiB at once.
    const ssize_t written =
        ::write(descriptor_, bytes.data(), std::min<std::size_t>(bytes.size(), 1 << 30));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed(errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    written_ += static_cast<std::uint64_t>(written);
    PREMISE_CHECK(send_on());
  }
  return {};
}

// A failed write to the disk is told once, here or by fsync(). A file system that cannot do this at
// all (EINVAL, ENOSYS) writes when it likes.
Status OutputFile::send_on() {
  const auto send = [&](std::uint64_t at, unsigned flags) -> Status {
    if (::sync_file_range(descriptor_, static_cast<off_t>(at), static_cast<off_t>(window_bytes),
                          flags) == 0)
      return {};
    const int number = errno;
    if (number != EIO && number != ENOSPC && number != EDQUOT) return {};
    return failed(number);
  };
  for (; written_ - sent_ >= window_bytes; sent_ += window_bytes) {
    PREMISE_CHECK(send(sent_, SYNC_FILE_RANGE_WRITE));
    if (sent_ == 0) continue;
    PREMISE_CHECK(send(sent_ - window_bytes, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                                                 SYNC_FILE_RANGE_WAIT_AFTER));
  }
  return {};
}

Status OutputFile::commit() {
  assert(descriptor_ >= 0);
  if (::fsync(descriptor_) != 0) return failed(errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return failed(errno);
  ::close(std::exchange(descriptor_, -1));
  flush_folder(path_.parent_path());
  return {};
}

Error OutputFile::failed(int number) const {
  const bool full = number == ENOSPC || number == EDQUOT || number == EFBIG;
  return error(full ? ErrorCode::no_resources : ErrorCode::bad_input,
               {"{}: cannot be written: {}", "{}：无法写入：{}"}, path_.string(),
               std::strerror(number));
}

}  // namespace premise
