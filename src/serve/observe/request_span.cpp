#include "serve/observe/request_span.h"

#include <cmath>
#include <cstdint>

namespace premise {
namespace {

constexpr int first_server_error = 500;

void add_usage(const AccessRecord& record, SpanAttributes& to) {
  const auto add = [&to](std::string key, std::uint64_t tokens) {
    to.emplace_back(std::move(key), static_cast<std::int64_t>(tokens));
  };
  add("gen_ai.usage.input_tokens", record.prompt_tokens);
  add("gen_ai.usage.output_tokens", record.completion_tokens);
  add("gen_ai.usage.cache_read.input_tokens", record.cached_tokens);
  if (record.first_token_seconds >= 0)
    to.emplace_back("gen_ai.response.time_to_first_chunk", record.first_token_seconds);
}

}  // namespace

Span request_span(const TraceContext& trace, const AccessRecord& record,
                  const RequestSpanDetails& details) {
  Span span;
  span.trace_id = trace.trace_id;
  span.span_id = trace.span_id;
  span.parent_id = trace.parent_id;
  span.name = details.route.empty() ? record.method : record.method + " " + details.route;
  span.kind = SpanKind::server;
  span.begin = record.time;
  span.end = record.time + std::chrono::duration_cast<std::chrono::system_clock::duration>(
                               std::chrono::duration<double>(record.seconds));

  SpanAttributes& to = span.attributes;
  const auto add_text = [&to](std::string key, const std::string& value) {
    if (!value.empty()) to.emplace_back(std::move(key), value);
  };
  add_text("http.request.method", record.method);
  add_text("http.route", details.route);
  add_text("url.path", record.path);
  add_text("url.scheme", details.scheme);
  add_text("client.address", record.client);
  to.emplace_back("http.response.status_code", std::int64_t{record.status});
  add_text("premise.request_id", record.request_id);
  add_text("premise.key", record.key);
  add_text("premise.outcome", record.outcome);
  if (!details.operation.empty()) {
    add_text("gen_ai.operation.name", details.operation);
    add_text("gen_ai.provider.name", "premise");
    add_text("gen_ai.request.model", record.model);
    add_text("gen_ai.response.model", record.model);
    if (!details.finish_reasons.empty())
      to.emplace_back("gen_ai.response.finish_reasons", details.finish_reasons);
    add_usage(record, to);
  }
  // An answer that fails in mid-stream had its status 200 long before.
  span.failed = record.status >= first_server_error || record.outcome == "failed";
  if (span.failed)
    add_text("error.type",
             record.outcome == "failed" ? record.outcome : std::to_string(record.status));
  return span;
}

bool is_sampled(const TraceContext& trace, double share) {
  if (!trace.parent_id.empty()) return trace.sampled;
  constexpr std::size_t random_digits = 14;    // 56 bits
  constexpr double ids = 72057594037927936.0;  // 2^56
  if (!(share > 0) || trace.trace_id.size() < random_digits) return false;
  if (share >= 1) return true;
  std::uint64_t random = 0;
  for (const char digit : trace.trace_id.substr(trace.trace_id.size() - random_digits))
    random = random * 16 + static_cast<unsigned>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
  return random >= static_cast<std::uint64_t>(std::round((1 - share) * ids));
}

}  // namespace premise
