#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

namespace premise {
namespace {

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

FileIdentity identity_from(const struct stat& status) {
  return {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size),
          nanoseconds(status.st_mtim), nanoseconds(status.st_ctim)};
}

Error cannot_open(const std::string& path, int number) {
  if (number == ENOENT || number == ENOTDIR)
    return error(ErrorCode::bad_input, {"{}: no such file", "{}：没有这个文件"}, path);
  const bool exhausted = number == EMFILE || number == ENFILE || number == ENOMEM;
  return error(exhausted ? ErrorCode::no_resources : ErrorCode::bad_input,
               {"{}: cannot be opened: {}", "{}：无法打开：{}"}, path, std::strerror(number));
}

Error not_regular(const std::string& path, mode_t mode) {
  if (S_ISDIR(mode))
    return error(ErrorCode::bad_input, {"{}: is a folder, not a file", "{}：是目录，不是文件"},
                 path);
  return error(ErrorCode::bad_input,
               {"{}: is a device, pipe or socket; only a regular file can be mapped",
                "{}：是设备、管道或套接字；只能映射普通文件"},
               path);
}

}  // namespace

std::optional<FileIdentity> identity_of_file(const std::filesystem::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return identity_from(status);
}

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
  MappedFile file;
  file.path_ = path.string();
  // O_NONBLOCK: opening a named pipe must not wait for a writer.
  do {
    file.descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  } while (file.descriptor_ < 0 && errno == EINTR);
  if (file.descriptor_ < 0) return cannot_open(file.path_, errno);

  struct stat status{};
  if (::fstat(file.descriptor_, &status) != 0) return cannot_open(file.path_, errno);
  if (!S_ISREG(status.st_mode)) return not_regular(file.path_, status.st_mode);
  file.identity_ = identity_from(status);
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size == 0) return file;
  if (size > static_cast<std::uint64_t>(std::numeric_limits<std::ptrdiff_t>::max()))
    return cannot_open(file.path_, EFBIG);

  // MAP_SHARED: a private mapping of a read-only file would be accounted the same, but the kernel
  // may then refuse it under strict overcommit.
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.descriptor_, 0);
  if (data == MAP_FAILED) return cannot_open(file.path_, errno);
  file.data_ = static_cast<const std::byte*>(data);
  file.size_ = size;
  return file;
}

MappedFile::MappedFile(MappedFile&& other) noexcept { *this = std::move(other); }

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  if (this == &other) return *this;
  close();
  data_ = std::exchange(other.data_, nullptr);
  size_ = std::exchange(other.size_, 0);
  descriptor_ = std::exchange(other.descriptor_, -1);
  identity_ = other.identity_;
  path_ = std::move(other.path_);
  return *this;
}

MappedFile::~MappedFile() { close(); }

void MappedFile::close() noexcept {
  if (data_) ::munmap(const_cast<std::byte*>(data_), size_);
  if (descriptor_ >= 0) ::close(descriptor_);
  data_ = nullptr;
  size_ = 0;
  descriptor_ = -1;
}

void MappedFile::advise(std::span<const std::byte> range, Access access) const {
  if (range.empty()) return;
  assert(range.data() >= data_ && range.data() + range.size() <= data_ + size_);
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto first = static_cast<std::size_t>(range.data() - data_);
  const std::size_t begin = first / page * page;
  const std::size_t end = first + range.size();
  int advice = MADV_NORMAL;
  if (access == Access::sequential) advice = MADV_SEQUENTIAL;
  if (access == Access::random) advice = MADV_RANDOM;
  if (access == Access::will_need) advice = MADV_WILLNEED;
  // A refused hint changes nothing that is promised, hence no error.
  ::madvise(const_cast<std::byte*>(data_) + begin, end - begin, advice);
}

void MappedFile::release(std::span<const std::byte> range) const {
  if (range.empty()) return;
  assert(range.data() >= data_ && range.data() + range.size() <= data_ + size_);
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto first = static_cast<std::size_t>(range.data() - data_);
  const std::size_t begin = (first + page - 1) / page * page;
  std::size_t end = first + range.size();
  // The last page of the file belongs to it whole, though the file ends within.
  end = end == size_ ? (end + page - 1) / page * page : end / page * page;
  if (begin < end) ::madvise(const_cast<std::byte*>(data_) + begin, end - begin, MADV_DONTNEED);
}

Status MappedFile::check_unchanged() const {
  struct stat status{};
  if (::fstat(descriptor_, &status) != 0) return cannot_open(path_, errno);
  if (static_cast<std::uint64_t>(status.st_size) == size_ &&
      nanoseconds(status.st_mtim) == identity_.modified_ns)
    return {};
  return error(ErrorCode::bad_input,
               {"{}: was changed while it was read ({} bytes when opened, {} bytes now)",
                "{}：读取期间文件被改动（打开时 {} 字节，现在 {} 字节）"},
               path_, size_, status.st_size)
      .with_hint(text({"write a new file beside it and rename it over the old one",
                       "请先写成新文件，再用改名覆盖旧文件"}));
}

}  // namespace premise
