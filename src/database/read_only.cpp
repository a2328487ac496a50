// A database in a folder that cannot be written: a model store on a read-only mount, or another
// user's.
//
// SQLite needs two files beside one that writes ahead, and cannot make them there. Where somebody
// who may write has it open (or was killed), they lie there already, and SQLite reads along under
// their locks. Where they do not, everything is in the one file and nobody is writing: then it is
// copied into memory and read there. "immutable=1", which is there for this, was rejected: it reads
// the file itself without locks, and the folder being read-only for us says nothing of others; a
// model pulled on the writable side would change pages under a reader. A copy can only be torn
// while it is made, and the file's times and size and the missing -wal, looked at again afterwards,
// tell.
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "database/database.h"

namespace premise {
namespace {

constexpr off_t copied_bytes_max = 64 << 20;  // a store of 100,000 models has less
constexpr int copies_max = 5;

/// What changes when somebody writes.
struct FileState {
  ino_t inode;
  off_t bytes;
  timespec changed;
  bool writing;  // there is a log of writes beside it

  bool operator==(const FileState& other) const {
    return inode == other.inode && bytes == other.bytes && changed.tv_sec == other.changed.tv_sec &&
           changed.tv_nsec == other.changed.tv_nsec && writing == other.writing;
  }
};

std::optional<FileState> state_of(const std::string& path) {
  struct stat file{}, log{};
  if (::stat(path.c_str(), &file) != 0) return std::nullopt;
  const bool writing = ::stat((path + "-wal").c_str(), &log) == 0 && log.st_size > 0;
  return FileState{file.st_ino, file.st_size, file.st_ctim, writing};
}

bool read_bytes(const std::string& path, unsigned char* bytes, std::size_t count) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  std::size_t filled = 0;
  while (filled < count) {
    const ssize_t got = ::read(file, bytes + filled, count - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    filled += static_cast<std::size_t>(got);
  }
  ::close(file);
  return filled == count;
}

Error not_readable(const std::string& path, Phrase<> why) {
  const Text reason = text(why);
  Error unreadable;
  unreadable.code = ErrorCode::usage;
  unreadable.what = {path + ": cannot be written, and " + reason.en,
                     path + "：无法写入，且" + reason.zh};
  return unreadable;
}

}  // namespace

Result<Database> Database::open_for_reading(const std::filesystem::path& path,
                                            const DatabaseOptions& options) {
  const auto known = static_cast<std::int64_t>(options.migrations.size());
  const auto state = state_of(path.string());
  const bool alongside = state && state->writing;
  PREMISE_TRY(
      Database database,
      connect(path, alongside ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY,
              options));
  if (!alongside) PREMISE_CHECK(database.load_copy());
  PREMISE_TRY(const std::int64_t found, database.schema_version());
  if (found > known || found < 0) return database.newer_schema(found, known);
  if (found < known)
    return not_readable(path.string(), {"an older Premise made it: open it once where it can be",
                                        "由较旧版本的 Premise 创建：请先在可写环境中打开一次"});
  return database;
}

Status Database::load_copy() {
  const std::string& path = identity_->path;
  for (int round = 0; round < copies_max; ++round) {
    const auto before = state_of(path);
    if (!before || before->bytes < 100)  // SQLite's header
      return not_readable(path, {"it holds no database", "其中没有数据库"});
    if (before->bytes > copied_bytes_max)
      return not_readable(path,
                          {"is too large to be read in memory", "文件过大，无法在内存中读取"});
    const auto count = static_cast<std::size_t>(before->bytes);
    auto* bytes = static_cast<unsigned char*>(sqlite3_malloc64(count));
    if (bytes == nullptr)
      return error(ErrorCode::no_resources, {"{}: not enough memory", "{}：内存不足"}, path);
    const bool whole = read_bytes(path, bytes, count);
    const auto after = state_of(path);
    if (!whole || before->writing || !after || !(*after == *before)) {
      sqlite3_free(bytes);
      continue;
    }
    // The numbers of the format say "writes ahead"; a copy in memory does not, and SQLite's manual
    // has them set to 1 for this.
    if (bytes[18] == 2 && bytes[19] == 2) bytes[18] = bytes[19] = 1;
    const auto size = static_cast<sqlite3_int64>(count);
    // Freed by SQLite, also where it fails.
    const int code =
        sqlite3_deserialize(connection_.get(), "main", bytes, size, size,
                            SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY);
    if (code == SQLITE_OK) return {};
    return error(ErrorCode::internal, {"{}: {}", "{}：{}"}, path, sqlite3_errstr(code));
  }
  return not_readable(path,
                      {"somebody else is writing it: try again", "正被其他进程写入：请稍后重试"});
}

}  // namespace premise
