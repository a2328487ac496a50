#include "store/files.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <system_error>

#include "base/units.h"

namespace premise {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t block_bytes = std::size_t{1} << 20;

std::string reason_text(int reason) {
  return std::error_code(reason, std::generic_category()).message();
}

Error read_error(const fs::path& path, int reason) {
  return error(ErrorCode::bad_input, {"{}: cannot be read: {}", "{}：无法读取：{}"}, path.string(),
               reason_text(reason));
}

Error write_error(const fs::path& path, int reason) {
  if (reason == ENOSPC || reason == EDQUOT || reason == EFBIG) {
    return error(ErrorCode::no_resources, {"{}: the disk is full ({})", "{}：磁盘已满（{}）"},
                 path.string(), reason_text(reason))
        .with_hint(text({"make room, or set PREMISE_HOME to a folder on a larger disk",
                         "请清理磁盘空间，或将 PREMISE_HOME 指向更大磁盘上的目录"}));
  }
  const bool forbidden = reason == EACCES || reason == EPERM || reason == EROFS;
  return error(forbidden ? ErrorCode::usage : ErrorCode::no_resources,
               {"{}: cannot be written: {}", "{}：无法写入：{}"}, path.string(),
               reason_text(reason))
      .with_hint(text(
          {"PREMISE_HOME chooses where models are kept", "可用 PREMISE_HOME 指定模型的存放位置"}));
}

Status sync_descriptor(int descriptor, const fs::path& path) {
  while (::fsync(descriptor) != 0) {
    // A file system without fsync (EINVAL on some network mounts) has nothing better to offer.
    if (errno == EINVAL) return {};
    if (errno != EINTR) return write_error(path, errno);
  }
  return {};
}

/// Shares all blocks of `from` with the empty file `to`; false where the file system cannot.
bool clone_blocks(const File& from, const File& to) {
  return ::ioctl(to.descriptor(), FICLONE, from.descriptor()) == 0;
}

Result<std::string> copy_blocks(File& from, File& to, std::uint64_t total, const WorkHooks& hooks) {
  PREMISE_TRY(Hasher hasher, Hasher::create(HashKind::sha256));
  const auto block = std::make_unique<std::array<std::byte, block_bytes>>();
  for (std::uint64_t done = 0;;) {
    PREMISE_CHECK(hooks.check_stopped());
    PREMISE_TRY(const std::size_t count, from.read(*block));
    if (count == 0) break;
    const std::span<const std::byte> bytes(block->data(), count);
    PREMISE_CHECK(to.write(bytes));
    hasher.update(bytes);
    done += count;
    hooks.report(WorkStage::copying, done, total);
  }
  return hasher.hex();
}

}  // namespace

Result<File> File::open(const fs::path& path) {
  // O_NONBLOCK: a pipe somebody left there must not hold us up before it is refused.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return read_error(path, errno);
  File file(descriptor, path);
  struct stat info{};
  if (::fstat(descriptor, &info) != 0) return read_error(path, errno);
  if (!S_ISREG(info.st_mode)) {
    return error(ErrorCode::bad_input, {"{}: is not a regular file", "{}：不是普通文件"},
                 path.string());
  }
  return file;
}

Result<File> File::open_or_create(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (descriptor < 0) return write_error(path, errno);
  return File(descriptor, path);
}

File& File::operator=(File&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  return *this;
}

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<std::uint64_t> File::size() const {
  struct stat info{};
  if (::fstat(descriptor_, &info) != 0) return read_error(path_, errno);
  return static_cast<std::uint64_t>(info.st_size);
}

Result<std::size_t> File::read(std::span<std::byte> into) {
  for (;;) {
    const ssize_t count = ::read(descriptor_, into.data(), into.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) return read_error(path_, errno);
  }
}

Status File::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count < 0) {
      if (errno == EINTR) continue;
      return write_error(path_, errno);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Status File::truncate(std::uint64_t bytes) {
  if (::ftruncate(descriptor_, static_cast<off_t>(bytes)) != 0 ||
      ::lseek(descriptor_, 0, SEEK_END) < 0) {
    return write_error(path_, errno);
  }
  return {};
}

Status File::sync() { return sync_descriptor(descriptor_, path_); }

Status sync_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return write_error(folder, errno);
  const Status status = sync_descriptor(descriptor, folder);
  ::close(descriptor);
  return status;
}

Status make_folders(const fs::path& folder) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) return write_error(folder, code.value());
  if (!fs::is_directory(folder, code)) return write_error(folder, ENOTDIR);
  return {};
}

Status remove_file(const fs::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return write_error(path, errno);
  return {};
}

std::optional<std::uint64_t> regular_file_bytes(const fs::path& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  return static_cast<std::uint64_t>(info.st_size);
}

Status check_free_space(const fs::path& folder, std::uint64_t bytes) {
  std::error_code code;
  const fs::space_info space = fs::space(folder, code);
  // Without an answer the write itself will tell.
  if (code || space.available >= bytes) return {};
  return error(ErrorCode::no_resources,
               {"{}: {} are needed and {} are free", "{}：需要 {}，仅剩 {}"}, folder.string(),
               format_bytes(bytes), format_bytes(space.available))
      .with_hint(text({"make room, or set PREMISE_HOME to a folder on a larger disk",
                       "请清理磁盘空间，或将 PREMISE_HOME 指向更大磁盘上的目录"}));
}

Result<std::vector<std::string>> hash_file(const fs::path& path, std::span<const HashKind> kinds,
                                           const WorkHooks& hooks) {
  PREMISE_TRY(File file, File::open(path));
  PREMISE_TRY(const std::uint64_t total, file.size());
  std::vector<Hasher> hashers;
  for (const HashKind kind : kinds) {
    PREMISE_TRY(Hasher hasher, Hasher::create(kind));
    hashers.push_back(std::move(hasher));
  }
  const auto block = std::make_unique<std::array<std::byte, block_bytes>>();
  for (std::uint64_t done = 0;;) {
    PREMISE_CHECK(hooks.check_stopped());
    PREMISE_TRY(const std::size_t count, file.read(*block));
    if (count == 0) break;
    for (Hasher& hasher : hashers) hasher.update({block->data(), count});
    done += count;
    hooks.report(WorkStage::checking, done, total);
  }
  std::vector<std::string> digests;
  for (const Hasher& hasher : hashers) digests.push_back(hasher.hex());
  return digests;
}

Result<std::string> copy_file_hashed(const fs::path& from, const fs::path& to,
                                     const WorkHooks& hooks) {
  PREMISE_TRY(File source, File::open(from));
  PREMISE_TRY(const std::uint64_t total, source.size());
  PREMISE_TRY(File target, File::open_or_create(to));
  PREMISE_CHECK(target.truncate(0));
  if (clone_blocks(source, target)) {
    PREMISE_CHECK(target.sync());
    constexpr std::array kinds{HashKind::sha256};
    PREMISE_TRY(const auto digests, hash_file(to, kinds, hooks));
    return digests.front();
  }
  PREMISE_CHECK(check_free_space(to.parent_path(), total));
  PREMISE_TRY(std::string digest, copy_blocks(source, target, total, hooks));
  PREMISE_CHECK(target.sync());
  return digest;
}

}  // namespace premise
