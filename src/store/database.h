// SQLite in a few words: open, migrate, run a statement, hold a transaction.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace premise {

/// A prepared statement; parameters are bound in order, rows read by next().
class Statement {
 public:
  Statement& bind(std::string_view value);
  Statement& bind(std::int64_t value);

  /// True while there is a row; false at the end.
  Result<bool> next();
  /// Runs a statement that gives no rows.
  Status run();

  std::string text(int column) const;
  std::int64_t integer(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement(sqlite3* connection, sqlite3_stmt* statement, const std::string* path)
      : connection_(connection), statement_(statement), path_(path) {}
  sqlite3* connection_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  const std::string* path_;
  int bound_ = 0;
  bool misbound_ = false;
};

/// One connection: WAL, foreign keys enforced, waits up to ten seconds for other writers. Not to be
/// used by two threads at once; any number of processes may have their own.
class Database {
 public:
  /// Opens or makes the file and brings its schema up to the last of `migrations`, one transaction
  /// each. A schema newer than that is refused.
  static Result<Database> open(const std::filesystem::path& path,
                               std::span<const char* const> migrations);

  Result<Statement> prepare(std::string_view sql);
  Status execute(const char* sql);

  /// Takes the write lock, runs `work`, and commits, or rolls back where it failed.
  template <typename Work>
  Status transaction(Work&& work) {
    PREMISE_CHECK(execute("BEGIN IMMEDIATE"));
    if (Status done = work(); !done.ok()) {
      // The first failure is the one to tell.
      [[maybe_unused]] const Status undone = execute("ROLLBACK");
      return done;
    }
    return execute("COMMIT");
  }

 private:
  struct Close {
    void operator()(sqlite3* connection) const;
  };
  using Connection = std::unique_ptr<sqlite3, Close>;
  Database(Connection connection, std::unique_ptr<std::string> path)
      : connection_(std::move(connection)), path_(std::move(path)) {}
  Status use_write_ahead_log();
  Status migrate(std::span<const char* const> migrations);

  Connection connection_;
  std::unique_ptr<std::string> path_;  // at a fixed address for the statements
};

}  // namespace premise
