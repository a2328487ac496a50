#include "store/database.h"

#include <sqlite3.h>

#include <chrono>
#include <thread>

namespace premise {
namespace {

constexpr std::chrono::milliseconds busy_timeout(10'000);

Error database_error(sqlite3* connection, int code, const std::string& path) {
  const std::string reason =
      connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(code);
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return error(ErrorCode::no_resources,
                   {"{}: another process keeps the store busy", "{}：模型库正被其他进程占用"}, path)
          .with_hint(text({"try again when it is done", "请待其完成后重试"}));
    case SQLITE_FULL:
      return error(ErrorCode::no_resources, {"{}: the disk is full", "{}：磁盘已满"}, path);
    case SQLITE_NOMEM:
      return error(ErrorCode::no_resources, {"{}: not enough memory", "{}：内存不足"}, path);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return error(ErrorCode::bad_input, {"{}: is damaged: {}", "{}：文件已损坏：{}"}, path, reason)
          .with_hint(text({"move it away and pull again; blobs that are there are not loaded twice",
                           "请将其移走后重新 pull；已有的数据块不会重复下载"}));
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return error(ErrorCode::usage, {"{}: cannot be written: {}", "{}：无法写入：{}"}, path,
                   reason)
          .with_hint(text({"PREMISE_HOME chooses where models are kept",
                           "可用 PREMISE_HOME 指定模型的存放位置"}));
    case SQLITE_IOERR:
      return error(ErrorCode::no_resources, {"{}: {}", "{}：{}"}, path, reason);
    default:
      return error(ErrorCode::internal, {"{}: {}", "{}：{}"}, path, reason);
  }
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement& Statement::bind(std::string_view value) {
  misbound_ |= sqlite3_bind_text64(statement_.get(), ++bound_, value.data(), value.size(),
                                   SQLITE_TRANSIENT, SQLITE_UTF8) != SQLITE_OK;
  return *this;
}

Statement& Statement::bind(std::int64_t value) {
  misbound_ |= sqlite3_bind_int64(statement_.get(), ++bound_, value) != SQLITE_OK;
  return *this;
}

Result<bool> Statement::next() {
  if (misbound_) return database_error(connection_, sqlite3_errcode(connection_), *path_);
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return database_error(connection_, code, *path_);
}

Status Statement::run() {
  PREMISE_TRY([[maybe_unused]] const bool row, next());
  assert(!row);
  return {};
}

std::string Statement::text(int column) const {
  const auto* bytes = sqlite3_column_text(statement_.get(), column);
  const int length = sqlite3_column_bytes(statement_.get(), column);
  if (bytes == nullptr) return {};
  return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length)};
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

void Database::Close::operator()(sqlite3* connection) const { sqlite3_close(connection); }

Result<Database> Database::open(const std::filesystem::path& path,
                                std::span<const char* const> migrations) {
  sqlite3* raw = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  Connection connection(raw);  // even a failed open hands one over, with the reason in it
  if (code != SQLITE_OK) return database_error(raw, code, path.string());
  sqlite3_busy_timeout(raw, static_cast<int>(busy_timeout.count()));
  Database database(std::move(connection), std::make_unique<std::string>(path.string()));
  // FULL: once a pull says "done", not even a power cut takes the name away again.
  PREMISE_CHECK(database.use_write_ahead_log());
  PREMISE_CHECK(database.execute("PRAGMA synchronous = FULL"));
  PREMISE_CHECK(database.execute("PRAGMA foreign_keys = ON"));
  PREMISE_CHECK(database.migrate(migrations));
  return database;
}

// The switch needs the file for itself, and SQLite answers "busy" at once, without the time limit
// set above, where waiting could lock two connections against each other: they all begin by
// reading.
Status Database::use_write_ahead_log() {
  const auto deadline = std::chrono::steady_clock::now() + busy_timeout;
  for (;;) {
    const int code =
        sqlite3_exec(connection_.get(), "PRAGMA journal_mode = WAL", nullptr, nullptr, nullptr);
    if (code == SQLITE_OK) return {};
    if ((code & 0xff) != SQLITE_BUSY || std::chrono::steady_clock::now() > deadline)
      return database_error(connection_.get(), code, *path_);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                                      &statement, nullptr);
  if (code != SQLITE_OK) return database_error(connection_.get(), code, *path_);
  return Statement(connection_.get(), statement, path_.get());
}

Status Database::execute(const char* sql) {
  const int code = sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return database_error(connection_.get(), code, *path_);
  return {};
}

Status Database::migrate(std::span<const char* const> migrations) {
  const auto version = [this]() -> Result<std::int64_t> {
    PREMISE_TRY(Statement query,
                prepare("SELECT coalesce(max(version), 0) FROM schema_migrations"));
    PREMISE_TRY(const bool row, query.next());
    return row ? query.integer(0) : 0;
  };
  PREMISE_CHECK(
      execute("CREATE TABLE IF NOT EXISTS schema_migrations("
              "version INTEGER PRIMARY KEY, applied INTEGER NOT NULL DEFAULT (unixepoch()))"));
  PREMISE_TRY(const std::int64_t found, version());
  const auto known = static_cast<std::int64_t>(migrations.size());
  if (found > known) {
    return error(ErrorCode::usage,
                 {"{}: was written by a newer Premise (schema {}, this program knows {})",
                  "{}：由更新版本的 Premise 写入（模式版本 {}，本程序支持到 {}）"},
                 *path_, found, known)
        .with_hint(text({"update Premise", "请升级 Premise"}));
  }
  if (found == known) return {};
  return transaction([&]() -> Status {
    // Asked again under the write lock: another process may have been faster.
    PREMISE_TRY(const std::int64_t current, version());
    for (std::int64_t next = current + 1; next <= known; ++next) {
      PREMISE_CHECK(execute(migrations[static_cast<std::size_t>(next - 1)]));
      PREMISE_TRY(Statement note, prepare("INSERT INTO schema_migrations(version) VALUES (?)"));
      PREMISE_CHECK(note.bind(next).run());
    }
    return {};
  });
}

}  // namespace premise
