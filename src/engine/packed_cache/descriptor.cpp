#include "engine/packed_cache/descriptor.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace premise {

Descriptor open_regular(const std::filesystem::path& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0) return Descriptor(-1);
  if (S_ISREG(status.st_mode)) return file;
  errno = EINVAL;
  return Descriptor(-1);
}

bool is_at(int descriptor, const std::filesystem::path& path) {
  struct stat open{}, there{};
  return ::fstat(descriptor, &open) == 0 && ::lstat(path.c_str(), &there) == 0 &&
         open.st_dev == there.st_dev && open.st_ino == there.st_ino;
}

bool read_at(int descriptor, std::uint64_t offset, std::span<std::byte> into) {
  while (!into.empty()) {
    const ssize_t got =
        ::pread(descriptor, into.data(), std::min<std::size_t>(into.size(), 1 << 30),
                static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    offset += static_cast<std::uint64_t>(got);
    into = into.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

Result<PackedHeader> read_head(int descriptor, std::uint64_t bytes, const std::string& path) {
  const auto cut_off = [&] {
    return error(ErrorCode::bad_input, {"{}: is cut off or cannot be read", "{}：被截断或无法读取"},
                 path);
  };
  std::vector<std::byte> head(packed_fixed_bytes);
  if (!read_at(descriptor, 0, head)) return cut_off();
  PREMISE_TRY(const PackedSizes sizes, parse_packed_sizes(head, bytes, path));
  head.resize(sizes.head_bytes);
  if (!read_at(descriptor, 0, head)) return cut_off();
  return parse_packed_header(head, sizes, path);
}

}  // namespace premise
