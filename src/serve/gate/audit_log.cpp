#include "serve/gate/audit_log.h"

#include "serve/gate/audit_rows.h"

namespace premise {
namespace {

constexpr std::size_t page_lines_max = 64;
constexpr std::size_t page_bytes_max = 4 << 20;

constexpr std::string_view audit_condition =
    " FROM audit WHERE id > ? AND id <= ? AND time_ms >= ? AND time_ms < ?"
    " AND (? = '' OR key_name = ?) AND (? = '' OR model = ?) AND (? = '' OR outcome = ?)";

void bind_filter(Statement& query, const AuditFilter& filter, std::int64_t after,
                 std::int64_t last) {
  query.bind(after).bind(last).bind(filter.since_ms).bind(filter.until_ms);
  for (const std::string* word : {&filter.key, &filter.model, &filter.outcome})
    query.bind(*word).bind(*word);
}

}  // namespace

AuditLine read_audit_line(const Statement& row) {
  AuditLine line;
  line.id = row.integer(0);
  line.time_ms = row.integer(1);
  line.request = row.text(2);
  line.key_id = row.integer(3);
  line.key_name = row.text(4);
  line.client = row.text(5);
  line.action = row.text(6);
  line.model = row.text(7);
  line.prompt_tokens = row.integer(8);
  line.output_tokens = row.integer(9);
  line.outcome = row.text(10);
  line.reason = row.text(11);
  line.prompt = row.text(12);
  line.answer = row.text(13);
  line.hash = row.text(14);
  return line;
}

Result<AuditLog> AuditLog::open(const std::filesystem::path& path,
                                std::chrono::milliseconds busy_timeout) {
  PREMISE_TRY(Database database, GateDatabase::open(path, busy_timeout));
  return AuditLog(std::move(database));
}

Result<AuditHead> AuditLog::read_head(const char* table) {
  PREMISE_TRY(Statement query,
              database_.prepare(fmt::format("SELECT count, hash FROM {} LIMIT 1", table)));
  PREMISE_TRY(const bool row, query.next());
  if (!row) {
    return error(ErrorCode::bad_input, {"the audit log has lost its {}", "审计日志缺少 {} 记录"},
                 table)
        .with_hint(text({"restore gate.db from a backup", "请从备份恢复 gate.db"}));
  }
  return AuditHead{query.integer(0), query.text(1)};
}

Result<AuditHead> AuditLog::head() { return read_head("audit_head"); }

Result<AuditLog::Appending> AuditLog::appending() {
  PREMISE_TRY(Statement insert, database_.prepare(fmt::format("INSERT INTO audit({}) VALUES "
                                                              "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                                                              audit_columns)));
  PREMISE_TRY(Statement charge,
              database_.prepare("INSERT INTO usage(key_id, day, requests, tokens) VALUES (?,?,?,?) "
                                "ON CONFLICT(key_id, day) DO UPDATE SET requests = requests + "
                                "excluded.requests, tokens = tokens + excluded.tokens"));
  PREMISE_TRY(AuditHead end, head());
  return Appending{std::move(insert), std::move(charge), std::move(end)};
}

Status AuditLog::append_entry(Appending& to, const LedgerEntry& entry) {
  if (entry.audited) PREMISE_CHECK(append_line(to, entry.line));
  const DayUse& use = entry.charge;
  if (use.requests == 0 && use.tokens == 0) return {};
  return to.charge.bind(use.key_id).bind(use.day).bind(use.requests).bind(use.tokens).run();
}

Status AuditLog::append_line(Appending& to, const AuditEntry& entry) {
  AuditLine line;
  static_cast<AuditEntry&>(line) = entry;
  line.id = to.end.count + 1;
  PREMISE_TRY(line.hash, audit_hash(to.end.hash, line));
  Statement& row = to.insert;
  row.bind(line.id).bind(line.time_ms).bind(line.request).bind(line.key_id);
  row.bind(line.key_name).bind(line.client).bind(line.action).bind(line.model);
  row.bind(line.prompt_tokens).bind(line.output_tokens).bind(line.outcome).bind(line.reason);
  PREMISE_CHECK(row.bind(line.prompt).bind(line.answer).bind(line.hash).run());
  to.end = {line.id, std::move(line.hash)};
  return {};
}

Status AuditLog::write_head(const AuditHead& head) {
  PREMISE_TRY(Statement update, database_.prepare("UPDATE audit_head SET count = ?, hash = ?"));
  return update.bind(head.count).bind(head.hash).run();
}

// The head is read under the write lock: another process may have appended.
Result<AuditHead> AuditLog::append(std::span<const LedgerEntry> entries) {
  AuditHead end;
  PREMISE_CHECK(database_.transaction([&]() -> Status {
    PREMISE_TRY(Appending to, appending());
    for (const LedgerEntry& entry : entries) PREMISE_CHECK(append_entry(to, entry));
    end = to.end;
    return write_head(end);
  }));
  return end;
}

Result<std::vector<DayUse>> AuditLog::day_use(std::int64_t day) {
  PREMISE_TRY(Statement query,
              database_.prepare("SELECT key_id, requests, tokens FROM usage WHERE day = ?"));
  query.bind(day);
  std::vector<DayUse> uses;
  for (;;) {
    PREMISE_TRY(const bool row, query.next());
    if (!row) return uses;
    uses.push_back({query.integer(0), day, query.integer(1), query.integer(2)});
  }
}

/// The id before the first line to show.
Result<std::int64_t> AuditLog::first_of(const AuditFilter& filter) {
  if (filter.newest <= 0) return 0;
  PREMISE_TRY(Statement query, database_.prepare(fmt::format(
                                   "SELECT coalesce(min(id), 1) FROM (SELECT id{} ORDER BY id "
                                   "DESC LIMIT ?)",
                                   audit_condition)));
  bind_filter(query, filter, 0, std::numeric_limits<std::int64_t>::max());
  PREMISE_TRY([[maybe_unused]] const bool row, query.bind(filter.newest).next());
  return query.integer(0) - 1;
}

// Page by page: a statement that stands open while a pager waits for its reader would keep SQLite's
// log of writes from ever being shortened.
Status AuditLog::for_each(const AuditFilter& filter,
                          const std::function<bool(const AuditLine&)>& visit) {
  PREMISE_TRY(const AuditHead end, head());
  PREMISE_TRY(std::int64_t after, first_of(filter));
  PREMISE_TRY(Statement query,
              database_.prepare(fmt::format("SELECT {}{} ORDER BY id LIMIT {}", audit_columns,
                                            audit_condition, page_lines_max)));
  for (;;) {
    std::vector<AuditLine> page;
    std::size_t bytes = 0;
    bind_filter(query, filter, after, end.count);
    while (bytes < page_bytes_max) {
      PREMISE_TRY(const bool row, query.next());
      if (!row) break;
      page.push_back(read_audit_line(query));
      bytes += page.back().prompt.size() + page.back().answer.size();
    }
    query.reset();
    if (page.empty()) return {};
    for (const AuditLine& line : page)
      if (!visit(line)) return {};
    after = page.back().id;
  }
}

}  // namespace premise
