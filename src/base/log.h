// The log of long-running work, one line an event, on a stream that is given (standard error). A
// Log is passed to whoever may write to it: there is no global one, and rooms without one are
// silent. Lines are bare of control characters, so that nobody can forge one.
#pragma once

#include <cstdio>
#include <memory>
#include <optional>
#include <string_view>

#include "base/text.h"

namespace spdlog {
class logger;
}

namespace premise {

enum class LogLevel { debug, info, warning, error, off };

/// "debug", "info", "warning", "error", "off".
std::optional<LogLevel> parse_log_level(std::string_view name);

class Log {
 public:
  /// Borrows `stream`. Events below `least` are dropped.
  Log(std::FILE* stream, LogLevel least, Language language);

  /// Ask before building an expensive message.
  bool wants(LogLevel level) const;

  /// "2026-01-31T23:59:59.123Z warning the message". Any thread; lines do not mix.
  void write(LogLevel level, const Text& message);

 private:
  std::shared_ptr<spdlog::logger> logger_;
  Language language_;
};

}  // namespace premise
