// The audit log and the daily counters on disk: appended to by a server's Ledger, read and pruned
// by `premise audit`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "serve/gate/audit_line.h"
#include "serve/gate/gate_database.h"
#include "serve/gate/limits.h"

namespace premise {

/// What is committed together: a line, and what its key used up of a day.
struct LedgerEntry {
  AuditEntry line;
  DayUse charge{};      // nothing where requests and tokens are 0
  bool audited = true;  // false: the charge alone, where the configuration wants no audit log
};

/// Empty texts and 0 take every line.
struct AuditFilter {
  std::int64_t since_ms = std::numeric_limits<std::int64_t>::min();
  std::int64_t until_ms = std::numeric_limits<std::int64_t>::max();  // lines before it
  std::string key;                                                   // name
  std::string model;
  std::string outcome;
  std::int64_t newest = 0;  // only so many, the newest ones
};

/// What a walk along the chain found.
struct AuditVerdict {
  AuditHead head;
  std::int64_t pruned = 0;   // lines 1 to this one were removed by prune()
  std::int64_t checked = 0;  // lines that hold
  bool noted_found = false;  // the head that was asked for is in the chain
  Text broken{};             // what is wrong first; empty: nothing is

  bool whole() const { return broken.empty(); }
};

/// One connection; one thread at a time. Any number of processes may have their own.
class AuditLog {
 public:
  static Result<AuditLog> open(
      const std::filesystem::path& path,
      std::chrono::milliseconds busy_timeout = DatabaseOptions{}.busy_timeout);

  Result<AuditHead> head();

  /// Appends all of them (in kept_form()), charges their keys, and returns the new head; or does
  /// nothing of it.
  Result<AuditHead> append(std::span<const LedgerEntry> entries);

  /// What every key used up of that day (days since 1970, UTC).
  Result<std::vector<DayUse>> day_use(std::int64_t day);

  /// Visits the lines that were there when it was called, oldest first, until `visit` says false.
  /// Memory is bounded, and no lock is held while `visit` runs: it may be slow.
  Status for_each(const AuditFilter& filter, const std::function<bool(const AuditLine&)>& visit);

  /// Walks the whole chain, a line at a time. `noted`: a hash that head() once gave, or empty. An
  /// Error only where the log cannot be read; a broken chain is a verdict.
  Result<AuditVerdict> verify(std::string_view noted = {});

  /// Removes the oldest lines up to the first that is not older than `before_ms`, and returns how
  /// many. A chain that is broken is refused: its evidence stays.
  ///
  /// The chain goes on: the number and hash of the last removed line become its new beginning, and
  /// a line of the log itself says so, without which verify() does not take that beginning. Works
  /// in small transactions, so that a server goes on answering.
  Result<std::int64_t> prune(std::int64_t before_ms, std::int64_t now_ms);

 private:
  explicit AuditLog(Database database) : database_(std::move(database)) {}
  Result<std::int64_t> first_of(const AuditFilter& filter);
  Status walk(std::string_view noted, AuditVerdict& verdict);
  Result<std::int64_t> prune_some(std::int64_t before_ms, std::int64_t now_ms);

  Database database_;
};

}  // namespace premise
