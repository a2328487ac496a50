#include <algorithm>

#include "serve/gate/audit_append.h"
#include "serve/gate/audit_rows.h"

namespace premise {
namespace {

constexpr std::int64_t prune_lines_max = 5000;  // about 50 ms of the write lock

}  // namespace

Result<std::int64_t> AuditLog::prune(std::int64_t before_ms, std::int64_t now_ms) {
  PREMISE_TRY(const AuditVerdict verdict, verify());
  if (!verdict.whole()) {
    return at(
        text({"the audit log is broken and stays as it is", "审计日志已损坏，保持原样不作删除"}),
        Error{ErrorCode::bad_input, verdict.broken});
  }
  // What is removed shall be gone from the file, not lie in its free pages.
  PREMISE_CHECK(database_.execute("PRAGMA secure_delete = ON"));
  std::int64_t removed = 0;
  for (;;) {
    PREMISE_TRY(const std::int64_t some, prune_some(before_ms, now_ms));
    removed += some;
    if (some < prune_lines_max) break;
  }
  if (removed > 0) PREMISE_CHECK(database_.execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  return removed;
}

Result<std::int64_t> AuditLog::prune_some(std::int64_t before_ms, std::int64_t now_ms) {
  std::int64_t removed = 0;
  PREMISE_CHECK(database_.transaction([&]() -> Status {
    PREMISE_TRY(AuditAppender to, AuditAppender::open(database_));
    PREMISE_TRY(const AuditHead anchor, read_audit_head(database_, "audit_anchor"));
    PREMISE_TRY(Statement stay, database_.prepare("SELECT id FROM audit WHERE time_ms >= ? "
                                                  "ORDER BY id LIMIT 1"));
    PREMISE_TRY(const bool some_stay, stay.bind(before_ms).next());
    std::int64_t last = some_stay ? stay.integer(0) - 1 : to.end().count;
    stay.reset();
    last = std::min(last, anchor.count + prune_lines_max);
    if (last <= anchor.count) return {};
    removed = last - anchor.count;
    PREMISE_TRY(Statement find, database_.prepare("SELECT hash FROM audit WHERE id = ?"));
    PREMISE_TRY(const bool found, find.bind(last).next());
    if (!found) {  // verified a moment ago
      return error(ErrorCode::bad_input,
                   {"line {} of the audit log is missing", "缺少审计日志第 {} 行"}, last);
    }
    const AuditHead beginning{last, find.text(0)};
    find.reset();
    PREMISE_TRY(Statement drop, database_.prepare("DELETE FROM audit WHERE id <= ?"));
    PREMISE_CHECK(drop.bind(last).run());
    PREMISE_TRY(Statement move, database_.prepare("UPDATE audit_anchor SET count = ?, hash = ?"));
    PREMISE_CHECK(move.bind(beginning.count).bind(beginning.hash).run());
    AuditEntry note;
    note.time_ms = now_ms;
    note.action = prune_action;
    note.outcome = "complete";
    note.reason = prune_reason(beginning);
    PREMISE_CHECK(to.add(note));
    return to.finish();
  }));
  return removed;
}

}  // namespace premise
