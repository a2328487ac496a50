// One line of JSON for each answer, in the fields of the Elastic Common Schema (8), so that
// Filebeat ships them without a parser of its own. Texts of prompts and answers are not among them:
// those belong to the audit log, where a policy decides about them.
// https://www.elastic.co/guide/en/ecs/current/ecs-field-reference.html
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "base/log.h"
#include "base/result.h"

namespace premise {

struct AccessRecord {
  std::chrono::system_clock::time_point time;
  std::string method, path;  // the path without its query, which may hold secrets
  int status = 0;
  std::uint64_t request_bytes = 0;
  std::string client;      // address of the peer
  std::string request_id;  // as in the answer's X-Request-Id
  std::string trace_id, span_id;
  std::string parent_id;            // the caller's span; empty: the trace begins here
  bool sampled = false;             // its span is told to the collector
  std::string key;                  // its name; empty: none was needed
  std::string model;                // empty: not about a model
  std::string outcome;              // complete, cancelled, failed, or why it was refused
  double seconds = 0;               // until the last byte was handed to the connection
  double first_token_seconds = -1;  // below zero: no token
  std::uint64_t prompt_tokens = 0, cached_tokens = 0, completion_tokens = 0;
};

enum class AccessLogFormat { json, text };

/// The line without its end. Text from outside is escaped, so that nobody can forge a line.
std::string format_access(const AccessRecord& record, AccessLogFormat format);

struct AccessLogOptions {
  std::filesystem::path path;  // empty: standard error
  AccessLogFormat format = AccessLogFormat::json;
  LogLevel level = LogLevel::info;      // info: every answer; warning: 4xx and 5xx; error: 5xx
  std::uint64_t file_bytes = 64 << 20;  // then premise.log becomes premise.1.log, and so on
  std::size_t files = 5;
};

/// Thread-safe. A line that cannot be written (disk full) is lost, never a request.
class AccessLog {
 public:
  static Result<AccessLog> open(const AccessLogOptions& options);
  AccessLog(AccessLog&&) noexcept;
  AccessLog& operator=(AccessLog&&) noexcept;
  ~AccessLog();

  void write(const AccessRecord& record);
  void flush();

 private:
  struct Sink;
  explicit AccessLog(std::unique_ptr<Sink> sink);
  std::unique_ptr<Sink> sink_;
};

}  // namespace premise
