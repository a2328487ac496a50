#include "serve/gate/audit_append.h"
#include "serve/gate/audit_rows.h"

namespace premise {
namespace {

/// Rows are read with the types they were written with: SQLite would hand over a 5.7 that somebody
/// wrote over a 5 as 5 again, and the hash would hold.
std::string sound_types() {
  return "typeof(time_ms) || typeof(request) || typeof(key_id) || typeof(key_name) || "
         "typeof(client) || typeof(action) || typeof(model) || typeof(prompt_tokens) || "
         "typeof(output_tokens) || typeof(outcome) || typeof(reason) || typeof(prompt) || "
         "typeof(answer) || typeof(hash) = "
         "'integertextintegertexttexttexttextintegerintegertexttexttexttexttext'";
}

Text missing_lines(std::int64_t first, std::int64_t last) {
  if (first == last) return text({"line {} is missing", "缺少第 {} 行"}, first);
  return text({"lines {} to {} are missing", "缺少第 {} 至 {} 行"}, first, last);
}

}  // namespace

std::string prune_reason(const AuditHead& anchor) {
  return fmt::format("lines 1 to {} removed, the last one's hash is {}", anchor.count, anchor.hash);
}

Result<AuditVerdict> AuditLog::verify(std::string_view noted) {
  AuditVerdict verdict;
  PREMISE_CHECK(database_.snapshot([&] { return walk(noted, verdict); }));
  return verdict;
}

Status AuditLog::walk(std::string_view noted, AuditVerdict& verdict) {
  PREMISE_TRY(const AuditHead anchor, read_audit_head(database_, "audit_anchor"));
  PREMISE_TRY(verdict.head, head());
  verdict.pruned = anchor.count;
  verdict.noted_found = !noted.empty() && noted == anchor.hash;
  AuditHead at = anchor;
  bool witnessed = anchor.count == 0 && anchor.hash.empty();
  PREMISE_TRY(Statement query, database_.prepare(fmt::format("SELECT {}, {} FROM audit ORDER BY id",
                                                             audit_columns, sound_types())));
  for (;;) {
    PREMISE_TRY(const bool row, query.next());
    if (!row) break;
    const AuditLine line = read_audit_line(query);
    if (line.id > at.count + 1) {
      verdict.broken = missing_lines(at.count + 1, line.id - 1);
      return {};
    }
    PREMISE_TRY(const std::string hash, audit_hash(at.hash, line));
    if (line.id != at.count + 1 || hash != line.hash || query.integer(audit_columns_count) != 1) {
      verdict.broken = text({"line {} was changed, or does not follow the line before it",
                             "第 {} 行被改动，或与前一行不衔接"},
                            line.id);
      return {};
    }
    at = {line.id, line.hash};
    ++verdict.checked;
    witnessed |= line.action == prune_action && line.reason == prune_reason(anchor);
    verdict.noted_found |= !noted.empty() && noted == line.hash;
  }
  if (at.count < verdict.head.count) {
    verdict.broken = missing_lines(at.count + 1, verdict.head.count);
  } else if (at.count != verdict.head.count || at.hash != verdict.head.hash) {
    verdict.broken = text({"the last line, {}, is not the one that the head names",
                           "最后一行（第 {} 行）与链头记录不符"},
                          at.count);
  } else if (!witnessed) {
    verdict.broken = text({"lines 1 to {} were removed, and no line of the log says so",
                           "第 1 至 {} 行已被删除，但日志中没有相应记录"},
                          anchor.count);
  }
  return {};
}

}  // namespace premise
