// Writes an entry while the model already computes. The thread yields to the team's threads (nice
// 19), so that the first token is not late for it; the price is that a short run waits at its end.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <thread>

#include "engine/packed_cache/descriptor.h"
#include "engine/packed_cache/packed_cache.h"

namespace premise {
namespace {

namespace fs = std::filesystem;

// Stays free on the disk: an entry saves a second, a full disk costs a day.
constexpr std::uint64_t reserve_bytes = std::uint64_t{256} << 20;

Error cannot_write(const fs::path& path, int number) {
  const bool full = number == ENOSPC || number == EDQUOT || number == EFBIG;
  return error(full ? ErrorCode::no_resources : ErrorCode::bad_input,
               {"{}: cannot be written: {}", "{}：无法写入：{}"}, path.string(),
               std::strerror(number));
}

bool write_at(int descriptor, std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t put =
        ::pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    offset += static_cast<std::uint64_t>(put);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return true;
}

Status make_folder(const fs::path& folder) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (!code) return {};
  return error(ErrorCode::bad_input, {"{}: cannot be made: {}", "{}：无法创建：{}"},
               folder.string(), code.message());
}

/// Sets the disk's blocks aside, so that a full disk is known now and not half way.
Status take_space(int descriptor, const fs::path& path, std::uint64_t bytes) {
  rlimit limit{};
  // Beyond the limit the kernel does not only refuse, it also sends a signal that ends the process.
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
      limit.rlim_cur < bytes)
    return cannot_write(path, EFBIG);
  struct statvfs disk{};
  if (::fstatvfs(descriptor, &disk) == 0 &&
      std::uint64_t{disk.f_bavail} * disk.f_frsize < bytes + reserve_bytes)
    return cannot_write(path, ENOSPC);
  if (::ftruncate(descriptor, 0) != 0) return cannot_write(path, errno);
  int result = 0;
  do {
    result = ::fallocate(descriptor, 0, 0, static_cast<off_t>(bytes));
  } while (result != 0 && errno == EINTR);
  if (result == 0 || errno == EOPNOTSUPP || errno == ENOSYS) return {};
  return cannot_write(path, errno);
}

void flush_folder_of(const fs::path& path) {
  const Descriptor folder(::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder) ::fsync(folder.get());
}

}  // namespace

struct PackedWriter::Work {
  Work(Descriptor opened, fs::path place, PackedHeader head, std::span<const std::byte> bytes)
      : file(std::move(opened)), path(std::move(place)), header(std::move(head)), weights(bytes) {}

  fs::path partial() const { return path.string() + ".partial"; }

  Descriptor file;
  fs::path path;
  PackedHeader header;
  std::span<const std::byte> weights;
  std::function<void(const Text& text)> notice;
  std::function<bool()> stopped;
  std::atomic<bool> give_up{false};
  bool done = false;  // the entry is in place
  Status status;
  std::thread thread;

  Status write_all();
  Status put_in_place();
};

Status PackedWriter::Work::write_all() {
  const std::uint64_t head_bytes = header.head_bytes();
  for (std::uint64_t at = 0; at < weights.size(); at += packed_block_bytes) {
    if (give_up) return {};
    const auto block =
        weights.subspan(at, std::min<std::uint64_t>(packed_block_bytes, weights.size() - at));
    header.checksums.push_back(block_checksum(block));
    if (!write_at(file.get(), head_bytes + at, block)) return cannot_write(path, errno);
    // The disk works from the beginning on, and the flush at the end is short.
    ::sync_file_range(file.get(), static_cast<off_t>(head_bytes + at),
                      static_cast<off_t>(block.size()), SYNC_FILE_RANGE_WRITE);
  }
  const std::string head = encode(header);
  if (!write_at(file.get(), 0, std::as_bytes(std::span(head)))) return cannot_write(path, errno);
  return put_in_place();
}

Status PackedWriter::Work::put_in_place() {
  if (give_up) return {};
  if (::fsync(file.get()) != 0) return cannot_write(path, errno);
  if (!is_at(file.get(), partial())) return {};  // swept away by hand; nothing to put in place
  if (::rename(partial().c_str(), path.c_str()) != 0) return cannot_write(path, errno);
  done = true;
  flush_folder_of(path);
  return {};
}

PackedWriter::PackedWriter(std::unique_ptr<Work> work) : work_(std::move(work)) {}

Result<std::unique_ptr<PackedWriter>> PackedWriter::start(const PackedCacheOptions& options,
                                                          PackedHeader header,
                                                          std::span<const std::byte> weights) {
  const fs::path path = packed_path(options.folder, header.key);
  PREMISE_CHECK(make_folder(options.folder));
  header.checksums.clear();
  sweep_packed(options.folder, header.layout_version);
  const fs::path partial = path.string() + ".partial";
  Descriptor file(
      ::open(partial.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644));
  if (!file) return cannot_write(partial, errno);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return std::unique_ptr<PackedWriter>();
    return cannot_write(partial, errno);
  }
  // Between opening and locking its writer may have renamed it: it is an entry then.
  if (!is_at(file.get(), partial)) return std::unique_ptr<PackedWriter>();
  if (Status space = take_space(file.get(), path, header.head_bytes() + weights.size());
      !space.ok()) {
    ::unlink(partial.c_str());
    return std::move(space).error();
  }
  auto work = std::make_unique<Work>(std::move(file), path, std::move(header), weights);
  work->notice = options.notice;
  work->stopped = options.stopped;
  std::unique_ptr<PackedWriter> writer(new PackedWriter(std::move(work)));
  Work& shared = *writer->work_;
  try {
    shared.thread = std::thread([&shared] {
      ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), 19);
      shared.status = shared.write_all();
    });
  } catch (const std::exception& refused) {
    return error(ErrorCode::no_resources,
                 {"no thread to write {}: {}", "无法创建写入 {} 的线程：{}"}, path.string(),
                 refused.what());
  }
  return writer;
}

Status PackedWriter::finish() {
  if (work_->thread.joinable()) work_->thread.join();
  return work_->status;
}

PackedWriter::~PackedWriter() {
  if (work_->stopped && work_->stopped()) work_->give_up = true;
  const Status status = finish();
  if (!work_->done && is_at(work_->file.get(), work_->partial()))
    ::unlink(work_->partial().c_str());
  if (!status.ok() && work_->notice) work_->notice(status.error().what);
}

}  // namespace premise
