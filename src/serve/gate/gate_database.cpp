#include "serve/gate/gate_database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

namespace premise {
namespace {

constexpr std::chrono::milliseconds gate_busy_timeout(10'000);

// One entry a version; what is released is never changed, only followed.
constexpr std::array gate_migrations{
    R"(CREATE TABLE keys(
         id INTEGER PRIMARY KEY AUTOINCREMENT,
         name TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, key_group TEXT NOT NULL,
         scopes INTEGER NOT NULL, models TEXT NOT NULL,
         requests_per_minute INTEGER NOT NULL, tokens_per_minute INTEGER NOT NULL,
         tokens_per_day INTEGER NOT NULL,
         created INTEGER NOT NULL, expires INTEGER NOT NULL,
         last_used INTEGER NOT NULL DEFAULT 0, revoked INTEGER NOT NULL DEFAULT 0);
       CREATE UNIQUE INDEX keys_by_name ON keys(name) WHERE revoked = 0;
       CREATE TABLE keys_generation(value INTEGER NOT NULL);
       INSERT INTO keys_generation VALUES (1);
       CREATE TABLE usage(
         key_id INTEGER NOT NULL, day INTEGER NOT NULL,
         requests INTEGER NOT NULL, tokens INTEGER NOT NULL,
         PRIMARY KEY (key_id, day)) WITHOUT ROWID;
       CREATE TABLE audit(
         id INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, request TEXT NOT NULL,
         key_id INTEGER NOT NULL, key_name TEXT NOT NULL, action TEXT NOT NULL,
         model TEXT NOT NULL, prompt_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
         outcome TEXT NOT NULL, reason TEXT NOT NULL,
         prompt TEXT NOT NULL, answer TEXT NOT NULL, hash TEXT NOT NULL);
       CREATE TABLE audit_head(count INTEGER NOT NULL, hash TEXT NOT NULL);
       INSERT INTO audit_head VALUES (0, '');)"};

Error gate_database_error(sqlite3* connection, int code, const std::string& path) {
  const std::string reason =
      connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(code);
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return error(ErrorCode::no_resources,
                   {"{}: another process keeps it busy", "{}：正被其他进程占用"}, path)
          .with_hint(text({"try again when it is done", "请待其完成后重试"}));
    case SQLITE_FULL:
      return error(ErrorCode::no_resources, {"{}: the disk is full", "{}：磁盘已满"}, path);
    case SQLITE_NOMEM:
      return error(ErrorCode::no_resources, {"{}: not enough memory", "{}：内存不足"}, path);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return error(ErrorCode::bad_input, {"{}: is damaged: {}", "{}：文件已损坏：{}"}, path, reason)
          .with_hint(text({"it was left as it is; restore it from a backup, or move it away (with "
                           "-wal and -shm beside it) and create new keys",
                           "文件未被改动；请从备份恢复，或将其（连同旁边的 -wal 与 -shm "
                           "文件）移走后重新创建密钥"}));
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return error(ErrorCode::usage, {"{}: cannot be written: {}", "{}：无法写入：{}"}, path,
                   reason)
          .with_hint(text({"PREMISE_HOME chooses the folder", "可用 PREMISE_HOME 指定目录"}));
    case SQLITE_IOERR:
      return error(ErrorCode::no_resources, {"{}: {}", "{}：{}"}, path, reason);
    default:
      return error(ErrorCode::internal, {"{}: {}", "{}：{}"}, path, reason);
  }
}

/// SQLite gives -wal and -shm the mode of the database, so that it is enough to make this one.
Status make_private_file(const std::filesystem::path& path) {
  std::error_code code;
  std::filesystem::create_directories(path.parent_path(), code);
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) {
    return error(ErrorCode::usage, {"{}: cannot be opened: {}", "{}：无法打开：{}"}, path.string(),
                 std::strerror(errno))
        .with_hint(text({"PREMISE_HOME chooses the folder", "可用 PREMISE_HOME 指定目录"}));
  }
  ::close(file);
  return {};
}

}  // namespace

void GateStatement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

GateStatement& GateStatement::bind(std::string_view value) {
  // A null pointer would bind NULL; an empty text is none.
  const char* bytes = value.empty() ? "" : value.data();
  misbound_ |= sqlite3_bind_text64(statement_.get(), ++bound_, bytes, value.size(),
                                   SQLITE_TRANSIENT, SQLITE_UTF8) != SQLITE_OK;
  return *this;
}

GateStatement& GateStatement::bind(std::int64_t value) {
  misbound_ |= sqlite3_bind_int64(statement_.get(), ++bound_, value) != SQLITE_OK;
  return *this;
}

Result<bool> GateStatement::next() {
  if (misbound_) return gate_database_error(connection_, sqlite3_errcode(connection_), *path_);
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return gate_database_error(connection_, code, *path_);
}

Status GateStatement::run() {
  const auto row = next();
  sqlite3_reset(statement_.get());
  bound_ = 0;
  misbound_ = false;
  if (!row.ok()) return row.error();
  return {};
}

std::string GateStatement::text(int column) const {
  const auto* bytes = sqlite3_column_text(statement_.get(), column);
  const int length = sqlite3_column_bytes(statement_.get(), column);
  if (bytes == nullptr) return {};
  return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length)};
}

std::int64_t GateStatement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

void GateDatabase::Close::operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }

Result<GateDatabase> GateDatabase::open(const std::filesystem::path& path) {
  PREMISE_CHECK(make_private_file(path));
  sqlite3* raw = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  Connection connection(raw);  // even a failed open hands one over, with the reason in it
  if (code != SQLITE_OK) return gate_database_error(raw, code, path.string());
  sqlite3_busy_timeout(raw, static_cast<int>(gate_busy_timeout.count()));
  GateDatabase database(std::move(connection), std::make_unique<std::string>(path.string()));
  PREMISE_CHECK(database.use_write_ahead_log());
  PREMISE_CHECK(database.execute("PRAGMA synchronous = FULL"));
  PREMISE_CHECK(database.migrate());
  return database;
}

// The switch needs the file for itself, and SQLite answers "busy" at once where waiting could lock
// two connections against each other.
Status GateDatabase::use_write_ahead_log() {
  const auto deadline = std::chrono::steady_clock::now() + gate_busy_timeout;
  for (;;) {
    const int code =
        sqlite3_exec(connection_.get(), "PRAGMA journal_mode = WAL", nullptr, nullptr, nullptr);
    if (code == SQLITE_OK) return {};
    if ((code & 0xff) != SQLITE_BUSY || std::chrono::steady_clock::now() > deadline)
      return gate_database_error(connection_.get(), code, *path_);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

Result<GateStatement> GateDatabase::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                                      &statement, nullptr);
  if (code != SQLITE_OK) return gate_database_error(connection_.get(), code, *path_);
  return GateStatement(connection_.get(), statement, path_.get());
}

Status GateDatabase::execute(const char* sql) {
  const int code = sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return gate_database_error(connection_.get(), code, *path_);
  return {};
}

Result<std::int64_t> GateDatabase::data_version() {
  PREMISE_TRY(GateStatement query, prepare("PRAGMA data_version"));
  PREMISE_TRY(const bool row, query.next());
  return row ? query.integer(0) : 0;
}

std::int64_t GateDatabase::changes() const { return sqlite3_changes64(connection_.get()); }

Result<std::int64_t> GateDatabase::schema_version() {
  PREMISE_TRY(GateStatement query, prepare("PRAGMA user_version"));
  PREMISE_TRY(const bool row, query.next());
  return row ? query.integer(0) : 0;
}

Status GateDatabase::migrate() {
  PREMISE_TRY(const std::int64_t found, schema_version());
  const auto known = static_cast<std::int64_t>(gate_migrations.size());
  if (found > known || found < 0) {
    return error(ErrorCode::usage,
                 {"{}: was written by a newer Premise (schema {}, this program knows {})",
                  "{}：由更新版本的 Premise 写入（模式版本 {}，本程序支持到 {}）"},
                 *path_, found, known)
        .with_hint(text({"update Premise", "请升级 Premise"}));
  }
  if (found == known) return {};
  return transaction([&]() -> Status {
    // Asked again under the write lock: another process may have been faster.
    PREMISE_TRY(std::int64_t version, schema_version());
    for (; version < known; ++version) {
      PREMISE_CHECK(execute(gate_migrations[static_cast<std::size_t>(version)]));
      PREMISE_CHECK(execute(fmt::format("PRAGMA user_version = {}", version + 1).c_str()));
    }
    return {};
  });
}

}  // namespace premise
