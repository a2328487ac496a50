#include "serve/gate/audit_log.h"

#include "serve/gate/audit_append.h"
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

Result<AuditHead> AuditLog::head() { return read_audit_head(database_, "audit_head"); }

Result<AuditHead> AuditLog::append(std::span<const LedgerEntry> entries) {
  AuditHead end;
  PREMISE_CHECK(database_.transaction([&]() -> Status {
    PREMISE_TRY(AuditAppender to, AuditAppender::open(database_));
    for (const LedgerEntry& entry : entries) {
      if (entry.audited) PREMISE_CHECK(to.add(entry.line));
      PREMISE_CHECK(to.charge(entry.charge));
    }
    end = to.end();
    return to.finish();
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
