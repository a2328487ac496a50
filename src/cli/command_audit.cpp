// premise audit list | export | verify | head | prune: what was asked of the service, and whether
// the log of it is whole. Works beside a running server.
#include <CLI/CLI.hpp>
#include <charconv>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/hash.h"
#include "base/printable.h"
#include "cli/command.h"
#include "cli/help.h"
#include "serve/gate/audit_log.h"
#include "store/store.h"

namespace premise {
namespace {

using Json = nlohmann::ordered_json;
using AuditMs = std::chrono::milliseconds;

struct AuditOptions {
  std::optional<std::string> since, until, noted;
  std::string before;
  AuditFilter filter;
  bool json = false;
};

std::int64_t audit_now_ms() {
  return std::chrono::duration_cast<AuditMs>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// Nothing is made where there is no log: a mistyped PREMISE_HOME must not look like an empty one.
Result<AuditLog> open_audit() {
  PREMISE_TRY(const auto root, Store::default_root(process_environment));
  const auto path = root / GateDatabase::file_name;
  std::error_code code;
  if (!std::filesystem::exists(path, code)) {
    return error(ErrorCode::no, {"{}: there is no audit log", "{}：没有审计日志"}, path.string())
        .with_hint(text({"premise serve writes it; PREMISE_HOME chooses the folder",
                         "由 premise serve 写入；可用 PREMISE_HOME 指定目录"}));
  }
  return AuditLog::open(path);
}

bool audit_digits(std::string_view given, std::size_t at, std::size_t count, int& value) {
  if (given.size() < at + count) return false;
  const char* begin = given.data() + at;
  const auto [end, code] = std::from_chars(begin, begin + count, value);
  return code == std::errc() && end == begin + count && *begin != '-';
}

/// "2027-01-31" or "2027-01-31T12:00:00Z", in milliseconds since 1970.
Result<std::int64_t> parse_audit_time(std::string_view option, std::string_view given) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  bool good = audit_digits(given, 0, 4, year) && audit_digits(given, 5, 2, month) &&
              audit_digits(given, 8, 2, day) && given[4] == '-' && given[7] == '-';
  if (good && given.size() != 10) {
    good = given.size() == 20 && given[10] == 'T' && given[13] == ':' && given[16] == ':' &&
           given[19] == 'Z' && audit_digits(given, 11, 2, hour) &&
           audit_digits(given, 14, 2, minute) && audit_digits(given, 17, 2, second) && hour < 24 &&
           minute < 60 && second < 60;
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!good || !date.ok()) {
    return error(ErrorCode::usage, {"{} \"{}\": is no time", "{} \"{}\"：不是有效时间"}, option,
                 printable(given))
        .with_hint(text({"write 2027-01-31 or 2027-01-31T12:00:00Z; both are UTC",
                         "可写作 2027-01-31 或 2027-01-31T12:00:00Z（均为 UTC）"}));
  }
  const auto time = std::chrono::sys_days(date) + std::chrono::hours(hour) +
                    std::chrono::minutes(minute) + std::chrono::seconds(second);
  return std::chrono::duration_cast<AuditMs>(time.time_since_epoch()).count();
}

std::string audit_time(std::int64_t ms) {
  const std::chrono::sys_time<AuditMs> time{AuditMs(ms)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

/// Every field of the line, so that others can compute its hash (docs/audit.md).
std::string audit_json_line(const AuditLine& line) {
  const Json json = {{"id", line.id},
                     {"time", audit_time(line.time_ms)},
                     {"time_ms", line.time_ms},
                     {"request", line.request},
                     {"key_id", line.key_id},
                     {"key_name", line.key_name},
                     {"client", line.client},
                     {"action", line.action},
                     {"model", line.model},
                     {"prompt_tokens", line.prompt_tokens},
                     {"output_tokens", line.output_tokens},
                     {"outcome", line.outcome},
                     {"reason", line.reason},
                     {"prompt", line.prompt},
                     {"answer", line.answer},
                     {"hash", line.hash}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string audit_cell(std::string_view value, std::size_t width) {
  const std::string shown = value.empty() ? "-" : printable(value);
  const std::size_t columns = display_width(shown);
  return shown + std::string(columns < width ? width - columns : 0, ' ') + "  ";
}

/// Columns of a fixed width: lines are shown as they are read.
std::string audit_text_line(const AuditLine& line) {
  std::string row = fmt::format("{:>6}  {}  ", line.id, audit_time(line.time_ms)) +
                    audit_cell(line.key_name, 12) + audit_cell(line.client, 15) +
                    audit_cell(line.action, 20) + audit_cell(line.model, 16) +
                    fmt::format("{:>7} {:>6}  ", line.prompt_tokens, line.output_tokens) +
                    audit_cell(line.outcome, 9) +
                    (line.reason.empty() ? "" : printable(line.reason));
  row.erase(row.find_last_not_of(' ') + 1);
  return row + "\n";
}

std::string audit_titles(Language language) {
  const auto cell = [language](Phrase<> phrase, std::size_t width) {
    return audit_cell(text(phrase).in(language), width);
  };
  std::string row = cell({"  LINE", "  行号"}, 6) + cell({"TIME (UTC)", "时间（UTC）"}, 24) +
                    cell({"KEY", "密钥"}, 12) + cell({"CLIENT", "客户端"}, 15) +
                    cell({"ACTION", "操作"}, 20) + cell({"MODEL", "模型"}, 16) +
                    cell({" PROMPT OUTPUT", " 输入词元 输出"}, 14) + cell({"OUTCOME", "结果"}, 9) +
                    cell({"REASON", "原因"}, 0);
  row.erase(row.find_last_not_of(' ') + 1);
  return row + "\n";
}

/// How lines are shown: a table for people, a line of JSON each (export), or one document.
enum class AuditForm { table, lines, document };

Result<int> list_audit(Console& console, const AuditOptions& options, AuditForm form) {
  AuditFilter filter = options.filter;
  if (options.since) {
    PREMISE_TRY(filter.since_ms, parse_audit_time("--since", *options.since));
  }
  if (options.until) {
    PREMISE_TRY(filter.until_ms, parse_audit_time("--until", *options.until));
  }
  PREMISE_TRY(AuditLog log, open_audit());
  bool any = false;
  PREMISE_CHECK(log.for_each(filter, [&](const AuditLine& line) {
    if (form == AuditForm::table && !any) console.write(audit_titles(console.language()));
    if (form == AuditForm::document) console.write(any ? "," : "[");
    any = true;
    console.write(form == AuditForm::table ? audit_text_line(line) : audit_json_line(line));
    return console.out_is_open() && !console.interrupt().requested();
  }));
  if (console.interrupt().requested()) return error(ErrorCode::cancelled, {"stopped", "已停止"});
  if (form == AuditForm::document) console.write(any ? "]\n" : "[]\n");
  if (!any) console.say(text({"no such lines", "没有符合条件的记录"}));
  return 0;
}

Text verdict_text(const AuditVerdict& verdict, bool noted) {
  if (noted && !verdict.noted_found)
    return text(
        {"the chain holds, but the noted head is not in it: lines were cut off, replaced or "
         "pruned since",
         "链条完好，但其中没有所记录的链头：此后有记录被截断、替换或清理"});
  if (verdict.pruned == 1)
    return text({"{} lines hold; line 1 was pruned", "{} 行完好；第 1 行已被清理"},
                verdict.checked);
  if (verdict.pruned > 0)
    return text({"{} lines hold; lines 1 to {} were pruned", "{} 行完好；第 1 至 {} 行已被清理"},
                verdict.checked, verdict.pruned);
  return text({"{} lines hold", "{} 行完好"}, verdict.checked);
}

Result<int> verify_audit(Console& console, const AuditOptions& options) {
  std::string noted = options.noted.value_or("");
  for (char& c : noted) c = static_cast<char>(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
  if (options.noted && !is_hash(HashKind::sha256, noted)) {
    return error(ErrorCode::usage, {"--head \"{}\": is no hash", "--head \"{}\"：不是哈希值"},
                 printable(noted))
        .with_hint(text({"premise audit head prints it: 64 hexadecimal digits",
                         "premise audit head 会输出它：64 位十六进制数"}));
  }
  PREMISE_TRY(AuditLog log, open_audit());
  PREMISE_TRY(const AuditVerdict verdict, log.verify(noted));
  const bool holds = verdict.whole() && (noted.empty() || verdict.noted_found);
  if (options.json) {
    Json json = {{"whole", verdict.whole()},
                 {"checked", verdict.checked},
                 {"pruned", verdict.pruned},
                 {"count", verdict.head.count},
                 {"head", verdict.head.hash}};
    if (!noted.empty()) json["noted_head_found"] = verdict.noted_found;
    if (!verdict.whole()) json["broken"] = verdict.broken.in(console.language());
    console.write(json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    return holds ? 0 : 1;
  }
  if (!verdict.whole()) {
    return at(text({"the audit log is broken", "审计日志不完整"}),
              Error{ErrorCode::no, verdict.broken});
  }
  if (!holds) return Error{ErrorCode::no, verdict_text(verdict, true)};
  console.say(verdict_text(verdict, !noted.empty()));
  return 0;
}

Result<int> show_audit_head(Console& console, const AuditOptions& options) {
  PREMISE_TRY(AuditLog log, open_audit());
  PREMISE_TRY(const AuditHead head, log.head());
  if (options.json) {
    console.write(Json{{"count", head.count}, {"head", head.hash}}.dump(2) + "\n");
  } else if (head.count == 0) {
    console.say(text({"the audit log is empty", "审计日志为空"}));
  } else {
    console.write(fmt::format("{} {}\n", head.count, head.hash));
  }
  return 0;
}

Result<int> prune_audit(Console& console, const AuditOptions& options) {
  PREMISE_TRY(const std::int64_t before, parse_audit_time("--before", options.before));
  const std::int64_t now = audit_now_ms();
  if (before > now) {
    return error(ErrorCode::usage, {"--before {}: lies in the future", "--before {}：尚未到来"},
                 options.before);
  }
  PREMISE_TRY(AuditLog log, open_audit());
  PREMISE_TRY(const std::int64_t removed, log.prune(before, now));
  if (options.json) {
    console.write(Json{{"removed", removed}}.dump(2) + "\n");
  } else {
    console.say(text({"{} lines removed", "已删除 {} 行"}, removed));
  }
  return 0;
}

void declare_audit_filter(CLI::App& app, AuditOptions& options, Language language) {
  const auto say = [language](Phrase<> phrase) { return text(phrase).in(language); };
  app.add_option("--since", options.since,
                 say({"from this time on: 2027-01-31 or 2027-01-31T12:00:00Z",
                      "起始时间：2027-01-31 或 2027-01-31T12:00:00Z"}));
  app.add_option("--until", options.until, say({"before this time", "截止时间（不含）"}));
  app.add_option("--key", options.filter.key, say({"of the key of this name", "密钥名称"}));
  app.add_option("--model", options.filter.model, say({"of this model", "模型名称"}));
  app.add_option("--outcome", options.filter.outcome,
                 say({"of this outcome: complete, refused, cancelled, failed",
                      "结果：complete、refused、cancelled、failed"}));
  app.add_option("--limit", options.filter.newest, say({"the newest N", "仅最新的 N 条"}))
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 53));
}

CommandRun declare_audit(CLI::App& app, Language language) {
  const auto options = std::make_shared<AuditOptions>();
  const auto say = [language](Phrase<> phrase) { return text(phrase).in(language); };
  app.require_subcommand(1);
  CLI::App* list =
      app.add_subcommand("list", say({"show lines, newest last", "列出记录，最新在后"}));
  CLI::App* exported = app.add_subcommand(
      "export", say({"every field of every line, as JSON lines", "以 JSON 行输出全部字段"}));
  CLI::App* verify = app.add_subcommand("verify", say({"check the chain of hashes", "校验哈希链"}));
  CLI::App* head = app.add_subcommand(
      "head", say({"show the end of the chain, to be noted elsewhere", "显示链头，供在别处留存"}));
  CLI::App* prune = app.add_subcommand("prune", say({"remove the oldest lines", "删除最早的记录"}));
  for (CLI::App* filtered : {list, exported}) declare_audit_filter(*filtered, *options, language);
  verify->add_option(
      "--head", options->noted,
      say({"a hash that was noted: is it still in the chain?", "此前留存的哈希值：是否仍在链中"}));
  prune->add_option("--before", options->before, say({"older than this", "早于该时间"}))
      ->required();
  for (CLI::App* sub : {list, verify, head, prune})
    sub->add_flag("--json", options->json, say({"print JSON", "输出 JSON"}));
  return [options, list, exported, verify, head](Console& console) {
    if (list->parsed())
      return list_audit(console, *options, options->json ? AuditForm::document : AuditForm::table);
    if (exported->parsed()) return list_audit(console, *options, AuditForm::lines);
    if (verify->parsed()) return verify_audit(console, *options);
    if (head->parsed()) return show_audit_head(console, *options);
    return prune_audit(console, *options);
  };
}

}  // namespace

extern const Command audit_command;
const Command audit_command{
    .name = "audit",
    .order = 85,
    .summary = {"who asked what, and whether the log of it is whole",
                "审计日志：谁请求过什么，记录是否完整"},
    .examples = {"premise audit list --key alice --limit 20\n"
                 "premise audit export --since 2027-01-01 > audit.jsonl\n"
                 "premise audit verify\npremise audit prune --before 2026-01-01",
                 "premise audit list --key alice --limit 20\n"
                 "premise audit export --since 2027-01-01 > audit.jsonl\n"
                 "premise audit verify\npremise audit prune --before 2026-01-01"},
    .declare = declare_audit};

}  // namespace premise
