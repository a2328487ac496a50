#include "serve/observe/access_log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "base/printable.h"

namespace premise {
namespace {

using Fields = nlohmann::ordered_json;

std::string timestamp(std::chrono::system_clock::time_point time) {
  const auto since = time.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(since - seconds);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds.count()), millis.count());
}

LogLevel level_of(int status) {
  if (status >= 500) return LogLevel::error;
  return status >= 400 ? LogLevel::warning : LogLevel::info;
}

std::string_view name_of(LogLevel level) {
  if (level == LogLevel::error) return "error";
  return level == LogLevel::warning ? "warn" : "info";
}

std::string in_json(const AccessRecord& r) {
  const auto nanoseconds = static_cast<std::int64_t>(r.seconds * 1e9);
  Fields line;
  line["@timestamp"] = timestamp(r.time);
  line["log.level"] = name_of(level_of(r.status));
  line["message"] = fmt::format("{} {} {}", r.method, r.path, r.status);
  line["ecs.version"] = "8.11.0";
  line["service.name"] = "premise";
  line["event.dataset"] = "premise.access";
  line["event.category"] = {"web"};
  line["event.outcome"] = r.status < 400 ? "success" : "failure";
  line["event.duration"] = nanoseconds;
  line["http.request.method"] = r.method;
  line["http.request.id"] = r.request_id;
  line["http.request.body.bytes"] = r.request_bytes;
  line["http.response.status_code"] = r.status;
  line["url.path"] = r.path;
  line["client.ip"] = r.client;
  line["trace.id"] = r.trace_id;
  line["span.id"] = r.span_id;
  if (!r.key.empty()) line["user.name"] = r.key;
  if (!r.outcome.empty()) line["premise.outcome"] = r.outcome;
  if (!r.model.empty()) {
    line["premise.model"] = r.model;
    line["premise.tokens.prompt"] = r.prompt_tokens;
    line["premise.tokens.cached"] = r.cached_tokens;
    line["premise.tokens.completion"] = r.completion_tokens;
  }
  if (r.first_token_seconds >= 0) line["premise.first_token.seconds"] = r.first_token_seconds;
  return line.dump(-1, ' ', false, Fields::error_handler_t::replace);
}

std::string in_text(const AccessRecord& r) {
  std::string line = fmt::format("{} {} {} {} {} {:.3f}s", timestamp(r.time), r.client, r.method,
                                 r.path, r.status, r.seconds);
  if (!r.key.empty()) line += " key=" + r.key;
  if (!r.model.empty())
    line += fmt::format(" model={} prompt={} cached={} completion={}", r.model, r.prompt_tokens,
                        r.cached_tokens, r.completion_tokens);
  if (!r.outcome.empty()) line += " " + r.outcome;
  line += " id=" + r.request_id;
  line = printable(line);
  for (std::size_t at = 0; (at = line.find('\n', at)) != std::string::npos; at += 2)
    line.replace(at, 1, "\\n");
  return line;
}

}  // namespace

std::string format_access(const AccessRecord& record, AccessLogFormat format) {
  return format == AccessLogFormat::json ? in_json(record) : in_text(record);
}

struct AccessLog::Sink {
  spdlog::logger logger;
  AccessLogFormat format;
  LogLevel least;
};

AccessLog::AccessLog(std::unique_ptr<Sink> sink) : sink_(std::move(sink)) {}
AccessLog::AccessLog(AccessLog&&) noexcept = default;
AccessLog& AccessLog::operator=(AccessLog&&) noexcept = default;
AccessLog::~AccessLog() = default;

Result<AccessLog> AccessLog::open(const AccessLogOptions& options) {
  std::shared_ptr<spdlog::sinks::sink> to;
  try {
    if (options.path.empty())
      to = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    else
      to = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
          options.path.string(), options.file_bytes, options.files);
  } catch (const spdlog::spdlog_ex& thrown) {
    return error(ErrorCode::usage, {"{}: the log cannot be opened: {}", "{}：无法打开日志：{}"},
                 options.path.string(), thrown.what());
  }
  to->set_formatter(std::make_unique<spdlog::pattern_formatter>("%v"));
  auto sink = std::make_unique<Sink>(
      Sink{spdlog::logger("access", std::move(to)), options.format, options.level});
  sink->logger.set_error_handler([](const std::string&) {});  // the disk is full: serve on
  // A line is on its way to the file when it was written: `tail -f` and a crash see the same.
  sink->logger.flush_on(spdlog::level::info);
  return AccessLog(std::move(sink));
}

void AccessLog::write(const AccessRecord& record) {
  if (sink_->least == LogLevel::off || level_of(record.status) < sink_->least) return;
  sink_->logger.info("{}", format_access(record, sink_->format));
}

void AccessLog::flush() { sink_->logger.flush(); }

}  // namespace premise
