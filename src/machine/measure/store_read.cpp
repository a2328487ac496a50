// Reading past the page cache.
//
// A file that was just written or served lies in memory, and reading it again measures memory.
// Three ways around that, from good to honest:
//   O_DIRECT              the file system moves blocks to our memory itself
//   POSIX_FADV_DONTNEED   where O_DIRECT is refused (tmpfs, some network and overlay file systems):
//                         clean pages are dropped, unless somebody has them mapped
//   mincore(2)            then counts what stayed in memory all the same, and the report says so
// What a host or a RAID controller caches below us cannot be seen from here.
//
// NVMe needs several requests at once to show its speed, so that four threads read pieces of 4 MiB
// in turns; a hard disk reads such pieces in order as fast as one stream.
#include "machine/measure/store_read.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "machine/measure/stopwatch.h"
#include "numerics/device/memory.h"
#include "numerics/device/thread_team.h"

namespace premise {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t piece_bytes = std::size_t{4} << 20;
constexpr int readers = 4;
constexpr std::uint64_t own_file_bytes = std::uint64_t{256} << 20;
constexpr std::uint64_t least_file_bytes = std::uint64_t{64} << 20;  // less tells of latency only

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  int descriptor() const { return descriptor_; }
  bool open() const { return descriptor_ >= 0; }
  std::uint64_t bytes() const {
    struct stat status{};
    return ::fstat(descriptor_, &status) == 0 && status.st_size > 0
               ? static_cast<std::uint64_t>(status.st_size)
               : 0;
  }

 private:
  int descriptor_;
};

/// The largest blob, where it is large enough.
std::optional<fs::path> largest_model(const fs::path& store) {
  std::optional<fs::path> best;
  std::uintmax_t most = least_file_bytes - 1;
  std::error_code failure;
  for (fs::directory_iterator entry(store / "blobs", failure);
       !failure && entry != fs::directory_iterator(); entry.increment(failure)) {
    std::error_code ignored;
    if (!entry->is_regular_file(ignored)) continue;
    const std::uintmax_t bytes = entry->file_size(ignored);
    if (ignored || bytes <= most) continue;
    most = bytes;
    best = entry->path();
  }
  return best;
}

fs::path nearest_existing(fs::path folder) {
  std::error_code ignored;
  while (!fs::is_directory(folder, ignored) && folder.has_relative_path())
    folder = folder.parent_path();
  return folder;
}

Error system_error(const fs::path& path, int number) {
  return error(ErrorCode::bad_input, {"{}: {}", "{}：{}"}, path.string(), std::strerror(number));
}

/// Where the file system knows no files without a name (NFS, overlays of old kernels) it gets one
/// for a moment.
File nameless_file(const fs::path& folder) {
  File file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file.open() || (errno != EOPNOTSUPP && errno != EISDIR)) return file;
  std::string name = (folder / ".premise-measure-XXXXXX").string();
  File named(::mkostemp(name.data(), O_CLOEXEC));
  if (named.open()) ::unlink(name.c_str());
  return named;
}

/// A file without a name, filled for at most `seconds` and brought to the disk.
Result<File> write_own_file(const fs::path& folder, double seconds,
                            const std::function<bool()>& stop) {
  struct statvfs space{};
  if (::statvfs(folder.c_str(), &space) != 0) return system_error(folder, errno);
  if (std::uint64_t{space.f_bavail} * space.f_frsize < 4 * own_file_bytes) {
    return error(ErrorCode::no_resources,
                 {"{}: too little space left to write a file for measuring",
                  "{}：剩余空间太少，无法写入测量用的文件"},
                 folder.string());
  }
  File file = nameless_file(folder);
  if (!file.open()) return system_error(folder, errno);
  PREMISE_TRY(AlignedBuffer piece, AlignedBuffer::allocate(piece_bytes));
  // Not zeros: disks and file systems that compress would show their compressor.
  std::uint64_t state = 0x9e3779b97f4a7c15;
  for (std::size_t i = 0; i < piece_bytes; i += sizeof state) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    std::memcpy(piece.data() + i, &state, sizeof state);
  }
  const SteadyClock::time_point start = SteadyClock::now();
  for (std::uint64_t at = 0; at < own_file_bytes && seconds_since(start) < seconds;
       at += piece_bytes) {
    if (stop && stop()) break;
    if (::pwrite(file.descriptor(), piece.data(), piece_bytes, static_cast<off_t>(at)) !=
        static_cast<ssize_t>(piece_bytes))
      return system_error(folder, errno);
    // To the disk as it goes: a fast write into memory would be paid for at once at the end.
    if (at / piece_bytes % 8 == 7) ::fdatasync(file.descriptor());
  }
  if (::fdatasync(file.descriptor()) != 0) return system_error(folder, errno);
  return file;
}

/// Another descriptor of the same file that bypasses the page cache; none where that is refused.
File opened_direct(const File& file) {
  const std::string path = "/proc/self/fd/" + std::to_string(file.descriptor());
  return File(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECT));
}

/// Which part of the file lies in the page cache.
double share_in_memory(const File& file) {
  const std::size_t length = static_cast<std::size_t>(file.bytes());
  if (length == 0) return 0;
  void* map = ::mmap(nullptr, length, PROT_READ, MAP_SHARED, file.descriptor(), 0);
  if (map == MAP_FAILED) return 0;
  const std::size_t page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> pages((length + page - 1) / page);
  const bool told = ::mincore(map, length, pages.data()) == 0;
  ::munmap(map, length);
  if (!told) return 0;
  const auto present =
      std::count_if(pages.begin(), pages.end(), [](unsigned char flags) { return flags & 1; });
  return static_cast<double>(present) / static_cast<double>(pages.size());
}

struct Reading {
  std::uint64_t bytes = 0;
  double seconds = 0;
  int failed = 0;  // errno of the first read that failed
};

Result<Reading> read_in_turns(const File& file, double seconds, const std::function<bool()>& stop) {
  const std::uint64_t pieces = file.bytes() / piece_bytes;
  PREMISE_TRY(AlignedBuffer buffers, AlignedBuffer::allocate(readers * piece_bytes));
  PREMISE_TRY(const auto team, ThreadTeam::create(readers));
  std::atomic<std::uint64_t> next{0};
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<int> failed{0};
  std::atomic<bool> over{stop && stop()};
  const SteadyClock::time_point start = SteadyClock::now();
  team->run([&](int index) {
    std::byte* buffer = buffers.data() + static_cast<std::size_t>(index) * piece_bytes;
    while (!over) {
      const std::uint64_t piece = next++;
      if (piece >= pieces) return;
      const ssize_t got =
          ::pread(file.descriptor(), buffer, piece_bytes, static_cast<off_t>(piece * piece_bytes));
      if (got < 0) failed = errno;
      if (got > 0) bytes += static_cast<std::uint64_t>(got);
      if (got <= 0 || seconds_since(start) > seconds) over = true;
    }
  });
  return Reading{.bytes = bytes, .seconds = seconds_since(start), .failed = failed};
}

}  // namespace

Result<StoreRate> measure_store_read(const fs::path& store, double seconds,
                                     const std::function<bool()>& stop) {
  if (store.empty()) {
    return error(ErrorCode::bad_input, {"nobody knows where the model store is: set PREMISE_HOME",
                                        "不知道模型库在哪里：请设置 PREMISE_HOME"});
  }
  StoreRate rate;
  File file(-1);
  if (const auto model = largest_model(store)) {
    rate.folder = model->parent_path().string();
    file = File(::open(model->c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.open()) return system_error(*model, errno);
  } else {
    const fs::path folder = nearest_existing(store);
    rate.folder = folder.string();
    rate.own_file = true;
    PREMISE_TRY(file, write_own_file(folder, seconds, stop));
  }
  if (file.bytes() < piece_bytes) {
    return error(ErrorCode::bad_input, {"{}: too slow to measure", "{}：过慢，无法测量"},
                 rate.folder);
  }
  Reading reading;
  if (const File direct = opened_direct(file); direct.open()) {
    PREMISE_TRY(reading, read_in_turns(direct, seconds, stop));
    rate.direct = reading.failed == 0 && reading.bytes > 0;
  }
  if (!rate.direct) {
    ::posix_fadvise(file.descriptor(), 0, 0, POSIX_FADV_DONTNEED);
    rate.cached_share = share_in_memory(file);
    PREMISE_TRY(reading, read_in_turns(file, seconds, stop));
  }
  if (reading.failed != 0) return system_error(rate.folder, reading.failed);
  if (reading.bytes == 0 || reading.seconds <= 0) {
    return error(ErrorCode::cancelled, {"interrupted", "已中断"});
  }
  rate.bytes = reading.bytes;
  rate.bytes_per_second = static_cast<double>(reading.bytes) / reading.seconds;
  return rate;
}

}  // namespace premise
