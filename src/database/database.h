// SQLite in a few words: open, migrate, run a statement, hold a transaction. The model store and
// the gate each keep one file with it; what those files hold, and what to do when one of them is
// damaged, they pass in.
//
// Every connection writes ahead (WAL) and syncs fully: a commit that returned is on the disk, also
// after a power cut. A program with laxer needs may open SQLite by itself; one that may lose an
// answered commit has no place here.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace premise {

struct DatabaseOptions {
  /// SQL, one entry a version; what is released is never changed, only followed. Kept in
  /// PRAGMA user_version.
  std::span<const char* const> migrations;
  /// What to do about a damaged file, and about one that cannot be written.
  Text damaged_hint{};
  Text unwritable_hint{};
  /// Makes the file for its owner alone (mode 0600; SQLite gives -wal and -shm the same) and the
  /// folder it lies in.
  bool private_file = false;
  /// Opens for reading what exists but cannot be written; every write then fails (usage).
  bool readable_without_writing = false;
  /// How long a statement waits for other writers.
  std::chrono::milliseconds busy_timeout{10'000};
};

/// What errors say of a database; at a fixed address for its statements.
struct DatabaseIdentity {
  std::string path;
  Text damaged_hint;
  Text unwritable_hint;
};

/// A prepared statement: parameters are bound in order, rows read by next(). Text may hold any
/// byte. Lives at most as long as its Database.
class Statement {
 public:
  Statement& bind(std::string_view value);
  Statement& bind(std::int64_t value);

  /// True while there is a row; false at the end.
  Result<bool> next();
  /// Runs a statement to its end and makes it ready for the next bindings.
  Status run();
  /// Forgets rows and bindings, whatever state it is in.
  void reset();

  std::string text(int column) const;
  std::int64_t integer(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement(sqlite3* connection, sqlite3_stmt* statement, const DatabaseIdentity* identity)
      : connection_(connection), statement_(statement), identity_(identity) {}
  sqlite3* connection_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  const DatabaseIdentity* identity_;
  int bound_ = 0;
  bool misbound_ = false;
};

/// One connection; a thread's own, or behind its owner's lock. Any number of processes may have
/// theirs. Foreign keys are enforced.
class Database {
 public:
  /// Opens or makes the file and brings its schema up to the last of the migrations, in one
  /// transaction. A damaged file or one of a newer schema is refused and left as it is.
  static Result<Database> open(const std::filesystem::path& path, const DatabaseOptions& options);

  Result<Statement> prepare(std::string_view sql);
  Status execute(const char* sql);

  /// Changes when another connection has committed; asks shared memory, not the disk.
  Result<std::int64_t> data_version();

  /// Rows that the last statement changed.
  std::int64_t changes() const;

  /// Takes the write lock, runs `work`, and commits, or rolls back where anything failed.
  template <typename Work>
  Status transaction(Work&& work) {
    return between("BEGIN IMMEDIATE", work);
  }

  /// Runs `work`, which only reads, on one state of the file, whatever others commit meanwhile. Be
  /// quick: the log of writes cannot be shortened until it ends.
  template <typename Work>
  Status snapshot(Work&& work) {
    return between("BEGIN", work);
  }

 private:
  struct Close {
    void operator()(sqlite3* connection) const;
  };
  using Connection = std::unique_ptr<sqlite3, Close>;
  Database(Connection connection, std::unique_ptr<DatabaseIdentity> identity)
      : connection_(std::move(connection)), identity_(std::move(identity)) {}
  static Result<Database> open_for_writing(const std::filesystem::path& path,
                                           const DatabaseOptions& options);
  static Result<Database> open_for_reading(const std::filesystem::path& path,
                                           const DatabaseOptions& options);
  static Result<Database> connect(const std::filesystem::path& path, int flags,
                                  const DatabaseOptions& options);
  Status load_copy();
  Status use_write_ahead_log(std::chrono::milliseconds limit);
  Status migrate(std::span<const char* const> migrations);
  Result<std::int64_t> integer_of(std::string_view sql);
  Result<std::int64_t> schema_version();
  Error newer_schema(std::int64_t found, std::int64_t known) const;

  template <typename Work>
  Status between(const char* begin, Work&& work) {
    PREMISE_CHECK(execute(begin));
    Status done = work();
    if (done.ok()) done = execute("COMMIT");
    if (!done.ok()) {
      // The first failure is the one to tell; a COMMIT that failed leaves the transaction open.
      [[maybe_unused]] const Status undone = execute("ROLLBACK");
    }
    return done;
  }

  Connection connection_;
  std::unique_ptr<DatabaseIdentity> identity_;
};

}  // namespace premise
