#include "base/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <mutex>

#include "base/printable.h"

namespace premise {
namespace {

constexpr std::array<std::string_view, 5> names = {"debug", "info", "warning", "error", "off"};

spdlog::level::level_enum to_spdlog(LogLevel level) {
  constexpr std::array levels = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                 spdlog::level::err, spdlog::level::off};
  return levels[static_cast<std::size_t>(level)];
}

/// spdlog's own sinks know stdout, stderr and files by name, not a stream that is lent.
class StreamSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit StreamSink(std::FILE* stream) : stream_(stream) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    std::fwrite(line.data(), 1, line.size(), stream_);
  }
  void flush_() override { std::fflush(stream_); }

  std::FILE* stream_;
};

/// One event, one line.
std::string on_one_line(std::string_view message) {
  std::string line = printable(message);
  for (std::size_t at = 0; (at = line.find('\n', at)) != std::string::npos; at += 2) {
    line.replace(at, 1, "\\n");
  }
  return line;
}

}  // namespace

std::optional<LogLevel> parse_log_level(std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<LogLevel>(found - names.begin());
}

Log::Log(std::FILE* stream, LogLevel least, Language language)
    : logger_(std::make_shared<spdlog::logger>("premise", std::make_shared<StreamSink>(stream))),
      language_(language) {
  logger_->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      "%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc));
  logger_->set_level(to_spdlog(least));
  logger_->flush_on(spdlog::level::warn);
}

bool Log::wants(LogLevel level) const {
  return level != LogLevel::off && logger_->should_log(to_spdlog(level));
}

void Log::write(LogLevel level, const Text& message) {
  if (!wants(level)) return;
  logger_->log(to_spdlog(level), spdlog::string_view_t(on_one_line(message.in(language_))));
}

}  // namespace premise
