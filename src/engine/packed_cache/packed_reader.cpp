#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <cstring>

#include "engine/packed_cache/descriptor.h"
#include "engine/packed_cache/packed_cache.h"

namespace premise {
namespace {

/// The first block that could not be read or has another checksum, or block_count().
std::uint64_t first_bad_block(int descriptor, const PackedHeader& header, ThreadTeam& team,
                              std::span<std::byte> destination) {
  const std::uint64_t head_bytes = header.head_bytes();
  const std::uint64_t blocks = header.block_count();
  std::atomic<std::uint64_t> bad{blocks};
  WorkCounter counter;
  counter.reset(blocks);
  team.run([&](int) {
    for (Range next = counter.next(); !next.empty(); next = counter.next()) {
      const std::uint64_t begin = next.first * packed_block_bytes;
      const auto block = destination.subspan(
          begin, std::min<std::uint64_t>(packed_block_bytes, destination.size() - begin));
      // Compared while it lies in the cache of the core that has read it.
      if (read_at(descriptor, head_bytes + begin, block) &&
          block_checksum(block) == header.checksums[next.first])
        continue;
      std::uint64_t least = bad.load();
      while (next.first < least && !bad.compare_exchange_weak(least, next.first)) {
      }
    }
  });
  return bad.load();
}

}  // namespace

Result<bool> read_packed(const std::filesystem::path& path, const PackedHeader& wanted,
                         ThreadTeam& team, std::span<std::byte> destination) {
  assert(destination.size() == wanted.data_bytes);
  const Descriptor file = open_regular(path);
  if (!file && (errno == ENOENT || errno == ENOTDIR)) return false;
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0)
    return error(ErrorCode::bad_input, {"{}: cannot be opened: {}", "{}：无法打开：{}"},
                 path.string(), std::strerror(errno));
  PREMISE_TRY(const PackedHeader found,
              read_head(file.get(), static_cast<std::uint64_t>(status.st_size), path.string()));
  PREMISE_CHECK(same_contents(wanted, found, path.string()));
  const std::uint64_t bad = first_bad_block(file.get(), found, team, destination);
  if (bad < found.block_count())
    return error(ErrorCode::bad_input,
                 {"{}: the MiB at offset {} is damaged", "{}：偏移 {} 处的 1 MiB 已损坏"},
                 path.string(), found.head_bytes() + bad * packed_block_bytes);
  ::futimens(file.get(), nullptr);  // the time of last use; who may not set it only reads
  return true;
}

}  // namespace premise
