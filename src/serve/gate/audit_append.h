// Lines put at the end of the audit log, inside a transaction of somebody's: what changes with them
// (counters of a day, a key) is committed together with the line that tells of it, or not at all.
#pragma once

#include "serve/gate/audit_line.h"
#include "serve/gate/gate_database.h"
#include "serve/gate/limits.h"

namespace premise {

/// "audit_head", or "audit_anchor": where the chain begins since the last removal.
Result<AuditHead> read_audit_head(Database& database, const char* table);

/// For the lines of one transaction, which the caller has begun: the head is read under the write
/// lock, since another process may have appended. Does not outlive the database.
class AuditAppender {
 public:
  static Result<AuditAppender> open(Database& database);

  /// The line, in kept_form(), behind the last one.
  Status add(const AuditEntry& entry);
  /// What a key used up of a day.
  Status charge(const DayUse& use);
  /// Writes the new head; nothing is added after it.
  Status finish();

  const AuditHead& end() const { return end_; }

 private:
  AuditAppender(Database& database, Statement insert, Statement charge, AuditHead end)
      : database_(&database),
        insert_(std::move(insert)),
        charge_(std::move(charge)),
        end_(std::move(end)) {}

  Database* database_;
  Statement insert_, charge_;
  AuditHead end_;
};

}  // namespace premise
