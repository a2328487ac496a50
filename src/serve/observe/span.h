// A finished piece of work in a trace, as OpenTelemetry knows it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace premise {

using SpanValue = std::variant<std::string, std::int64_t, double, bool, std::vector<std::string>>;
using SpanAttributes = std::vector<std::pair<std::string, SpanValue>>;

enum class SpanKind : std::uint8_t { internal = 1, server = 2, client = 3 };  // numbers of OTLP

struct Span {
  std::string trace_id;   // 32 hexadecimal digits
  std::string span_id;    // 16
  std::string parent_id;  // 16, or empty
  std::string name;
  SpanKind kind = SpanKind::server;
  std::chrono::system_clock::time_point begin, end;
  SpanAttributes attributes;
  bool failed = false;
  std::string failure{};  // said of a failed one
};

}  // namespace premise
