#include "database/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

namespace premise {
namespace {

Error database_error(sqlite3* connection, int code, const DatabaseIdentity& identity) {
  const std::string reason =
      connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(code);
  const std::string& path = identity.path;
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
          .with_hint(identity.damaged_hint);
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return error(ErrorCode::usage, {"{}: cannot be written: {}", "{}：无法写入：{}"}, path,
                   reason)
          .with_hint(identity.unwritable_hint);
    case SQLITE_IOERR:
    case SQLITE_TOOBIG:
      return error(ErrorCode::no_resources, {"{}: {}", "{}：{}"}, path, reason);
    default:
      return error(ErrorCode::internal, {"{}: {}", "{}：{}"}, path, reason);
  }
}

/// SQLite gives -wal and -shm the mode of the database, so that it is enough to make this one.
Status make_private_file(const std::filesystem::path& path, const Text& hint) {
  std::error_code code;
  std::filesystem::create_directories(path.parent_path(), code);  // what it lacks, open() tells
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) {
    return error(ErrorCode::usage, {"{}: cannot be opened: {}", "{}：无法打开：{}"}, path.string(),
                 std::strerror(errno))
        .with_hint(hint);
  }
  ::close(file);
  return {};
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement& Statement::bind(std::string_view value) {
  // A null pointer would bind NULL; an empty text is none.
  const char* bytes = value.empty() ? "" : value.data();
  misbound_ |= sqlite3_bind_text64(statement_.get(), ++bound_, bytes, value.size(),
                                   SQLITE_TRANSIENT, SQLITE_UTF8) != SQLITE_OK;
  return *this;
}

Statement& Statement::bind(std::int64_t value) {
  misbound_ |= sqlite3_bind_int64(statement_.get(), ++bound_, value) != SQLITE_OK;
  return *this;
}

Result<bool> Statement::next() {
  if (misbound_) return database_error(connection_, sqlite3_errcode(connection_), *identity_);
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return database_error(connection_, code, *identity_);
}

Status Statement::run() {
  const auto row = next();
  reset();
  if (!row.ok()) return row.error();
  return {};
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  bound_ = 0;
  misbound_ = false;
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

void Database::Close::operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }

Result<Database> Database::open(const std::filesystem::path& path, const DatabaseOptions& options) {
  auto writable = open_for_writing(path, options);
  std::error_code code;
  if (writable.ok() || !options.readable_without_writing ||
      writable.error().code != ErrorCode::usage || !std::filesystem::is_regular_file(path, code))
    return writable;
  return open_for_reading(path, options);
}

Result<Database> Database::open_for_writing(const std::filesystem::path& path,
                                            const DatabaseOptions& options) {
  if (options.private_file) PREMISE_CHECK(make_private_file(path, options.unwritable_hint));
  PREMISE_TRY(Database database,
              connect(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, options));
  PREMISE_CHECK(database.use_write_ahead_log(options.busy_timeout));
  PREMISE_CHECK(database.execute("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON"));
  PREMISE_CHECK(database.migrate(options.migrations));
  return database;
}

Result<Database> Database::connect(const std::filesystem::path& path, int flags,
                                   const DatabaseOptions& options) {
  auto identity = std::make_unique<DatabaseIdentity>(
      DatabaseIdentity{path.string(), options.damaged_hint, options.unwritable_hint});
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2((flags & SQLITE_OPEN_MEMORY) != 0 ? ":memory:" : path.c_str(),
                                   &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Connection connection(raw);  // even a failed open hands one over, with the reason in it
  if (code != SQLITE_OK) return database_error(raw, code, *identity);
  sqlite3_busy_timeout(raw, static_cast<int>(options.busy_timeout.count()));
  return Database(std::move(connection), std::move(identity));
}

// The switch needs the file for itself, and SQLite answers "busy" at once, without the time limit
// set above, where waiting could lock two connections against each other: they all begin by
// reading.
Status Database::use_write_ahead_log(std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const int code =
        sqlite3_exec(connection_.get(), "PRAGMA journal_mode = WAL", nullptr, nullptr, nullptr);
    if (code == SQLITE_OK) return {};
    if ((code & 0xff) != SQLITE_BUSY || std::chrono::steady_clock::now() > deadline)
      return database_error(connection_.get(), code, *identity_);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                                      &statement, nullptr);
  if (code != SQLITE_OK) return database_error(connection_.get(), code, *identity_);
  return Statement(connection_.get(), statement, identity_.get());
}

Status Database::execute(const char* sql) {
  const int code = sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return database_error(connection_.get(), code, *identity_);
  return {};
}

Result<std::int64_t> Database::integer_of(std::string_view sql) {
  PREMISE_TRY(Statement query, prepare(sql));
  PREMISE_TRY(const bool row, query.next());
  return row ? query.integer(0) : 0;
}

Result<std::int64_t> Database::data_version() { return integer_of("PRAGMA data_version"); }

std::int64_t Database::changes() const { return sqlite3_changes64(connection_.get()); }

// The first stores noted their version in a table of its own; user_version is 0 in those.
Result<std::int64_t> Database::schema_version() {
  PREMISE_TRY(const std::int64_t version, integer_of("PRAGMA user_version"));
  if (version != 0) return version;
  PREMISE_TRY(const std::int64_t table,
              integer_of("SELECT count(*) FROM sqlite_schema WHERE name = 'schema_migrations'"));
  if (table == 0) return 0;
  return integer_of("SELECT coalesce(max(version), 0) FROM schema_migrations");
}

Error Database::newer_schema(std::int64_t found, std::int64_t known) const {
  return error(ErrorCode::usage,
               {"{}: was written by a newer Premise (schema {}, this program knows {})",
                "{}：由更新版本的 Premise 写入（模式版本 {}，本程序支持到 {}）"},
               identity_->path, found, known)
      .with_hint(text({"update Premise", "请升级 Premise"}));
}

Status Database::migrate(std::span<const char* const> migrations) {
  PREMISE_TRY(const std::int64_t found, schema_version());
  const auto known = static_cast<std::int64_t>(migrations.size());
  if (found > known || found < 0) return newer_schema(found, known);
  if (found == known) return {};
  return transaction([&]() -> Status {
    // Asked again under the write lock: another process may have been faster.
    PREMISE_TRY(std::int64_t version, schema_version());
    for (; version < known; ++version) {
      PREMISE_CHECK(execute(migrations[static_cast<std::size_t>(version)]));
      PREMISE_CHECK(execute(fmt::format("PRAGMA user_version = {}", version + 1).c_str()));
    }
    return {};
  });
}

}  // namespace premise
