// The gate's one SQLite file: keys, daily counters and the audit log, shared by every process that
// works with it (a running server, `premise keys`).
//
// One file, so that an answer's audit line and its share of the daily quota are committed together
// or not at all. It is apart from the model store's database: that one may be thrown away and built
// again from the blobs, this one may not, and only its owner may read it (mode 0600).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace premise {

/// A prepared statement: parameters are bound in order, rows read by next(). Text may hold any
/// byte.
class GateStatement {
 public:
  GateStatement& bind(std::string_view value);
  GateStatement& bind(std::int64_t value);

  /// True while there is a row; false at the end.
  Result<bool> next();
  /// Runs a statement to its end and makes it ready for the next bindings.
  Status run();

  std::string text(int column) const;
  std::int64_t integer(int column) const;

 private:
  friend class GateDatabase;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  GateStatement(sqlite3* connection, sqlite3_stmt* statement, const std::string* path)
      : connection_(connection), statement_(statement), path_(path) {}
  sqlite3* connection_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  const std::string* path_;
  int bound_ = 0;
  bool misbound_ = false;
};

/// One connection; a thread's own, or behind its owner's lock. Writes wait up to ten seconds for
/// other writers. A commit is on the disk when it returns (WAL, synchronous = FULL).
class GateDatabase {
 public:
  /// Opens or makes the file (and its folder). A damaged file or one of a newer schema is refused
  /// and left as it is.
  static Result<GateDatabase> open(const std::filesystem::path& path);

  /// $PREMISE_HOME/gate.db is where the program keeps it.
  static constexpr std::string_view file_name = "gate.db";

  Result<GateStatement> prepare(std::string_view sql);
  Status execute(const char* sql);

  /// Changes when another connection has committed; asks shared memory, not the disk.
  Result<std::int64_t> data_version();

  /// Rows that the last statement changed.
  std::int64_t changes() const;

  /// Takes the write lock, runs `work`, and commits, or rolls back where anything failed.
  template <typename Work>
  Status transaction(Work&& work) {
    PREMISE_CHECK(execute("BEGIN IMMEDIATE"));
    Status done = work();
    if (done.ok()) done = execute("COMMIT");
    if (!done.ok()) {
      // The first failure is the one to tell; a COMMIT that failed leaves the transaction open.
      [[maybe_unused]] const Status undone = execute("ROLLBACK");
    }
    return done;
  }

 private:
  struct Close {
    void operator()(sqlite3* connection) const;
  };
  using Connection = std::unique_ptr<sqlite3, Close>;
  GateDatabase(Connection connection, std::unique_ptr<std::string> path)
      : connection_(std::move(connection)), path_(std::move(path)) {}
  Status use_write_ahead_log();
  Status migrate();
  Result<std::int64_t> schema_version();

  Connection connection_;
  std::unique_ptr<std::string> path_;  // at a fixed address for the statements
};

}  // namespace premise
