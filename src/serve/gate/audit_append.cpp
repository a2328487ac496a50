#include "serve/gate/audit_append.h"

#include "serve/gate/audit_rows.h"

namespace premise {

Result<AuditHead> read_audit_head(Database& database, const char* table) {
  PREMISE_TRY(Statement query,
              database.prepare(fmt::format("SELECT count, hash FROM {} LIMIT 1", table)));
  PREMISE_TRY(const bool row, query.next());
  if (!row) {
    return error(ErrorCode::bad_input, {"the audit log has lost its {}", "审计日志缺少 {} 记录"},
                 table)
        .with_hint(text({"restore gate.db from a backup", "请从备份恢复 gate.db"}));
  }
  return AuditHead{query.integer(0), query.text(1)};
}

Result<AuditAppender> AuditAppender::open(Database& database) {
  PREMISE_TRY(Statement insert, database.prepare(fmt::format("INSERT INTO audit({}) VALUES "
                                                             "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                                                             audit_columns)));
  PREMISE_TRY(Statement charge,
              database.prepare("INSERT INTO usage(key_id, day, requests, tokens) VALUES (?,?,?,?) "
                               "ON CONFLICT(key_id, day) DO UPDATE SET requests = requests + "
                               "excluded.requests, tokens = tokens + excluded.tokens"));
  PREMISE_TRY(AuditHead end, read_audit_head(database, "audit_head"));
  return AuditAppender(database, std::move(insert), std::move(charge), std::move(end));
}

Status AuditAppender::add(const AuditEntry& entry) {
  AuditLine line;
  static_cast<AuditEntry&>(line) = entry;
  line.id = end_.count + 1;
  PREMISE_TRY(line.hash, audit_hash(end_.hash, line));
  Statement& row = insert_;
  row.bind(line.id).bind(line.time_ms).bind(line.request).bind(line.key_id);
  row.bind(line.key_name).bind(line.client).bind(line.action).bind(line.model);
  row.bind(line.prompt_tokens).bind(line.output_tokens).bind(line.outcome).bind(line.reason);
  PREMISE_CHECK(row.bind(line.prompt).bind(line.answer).bind(line.hash).run());
  end_ = {line.id, std::move(line.hash)};
  return {};
}

Status AuditAppender::charge(const DayUse& use) {
  if (use.requests == 0 && use.tokens == 0) return {};
  return charge_.bind(use.key_id).bind(use.day).bind(use.requests).bind(use.tokens).run();
}

Status AuditAppender::finish() {
  PREMISE_TRY(Statement update, database_->prepare("UPDATE audit_head SET count = ?, hash = ?"));
  return update.bind(end_.count).bind(end_.hash).run();
}

}  // namespace premise
