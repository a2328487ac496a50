#include "serve/observe/otlp_json.h"

#include <nlohmann/json.hpp>

namespace premise {
namespace {

using OtlpJson = nlohmann::json;

OtlpJson otlp_value(const SpanValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return {{"stringValue", *text}};
  if (const auto* number = std::get_if<std::int64_t>(&value))
    return {{"intValue", std::to_string(*number)}};
  if (const auto* number = std::get_if<double>(&value)) return {{"doubleValue", *number}};
  if (const auto* flag = std::get_if<bool>(&value)) return {{"boolValue", *flag}};
  OtlpJson values = OtlpJson::array();
  for (const std::string& each : std::get<std::vector<std::string>>(value))
    values.push_back({{"stringValue", each}});
  return {{"arrayValue", {{"values", std::move(values)}}}};
}

OtlpJson otlp_attributes(const SpanAttributes& attributes) {
  OtlpJson list = OtlpJson::array();
  for (const auto& [key, value] : attributes)
    list.push_back({{"key", key}, {"value", otlp_value(value)}});
  return list;
}

std::string unix_nanoseconds(std::chrono::system_clock::time_point time) {
  return std::to_string(
      std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
}

OtlpJson otlp_span(const Span& span) {
  constexpr int status_error = 2;
  OtlpJson json = {{"traceId", span.trace_id},
                   {"spanId", span.span_id},
                   {"name", span.name},
                   {"kind", static_cast<int>(span.kind)},
                   {"startTimeUnixNano", unix_nanoseconds(span.begin)},
                   {"endTimeUnixNano", unix_nanoseconds(span.end)},
                   {"attributes", otlp_attributes(span.attributes)}};
  if (!span.parent_id.empty()) json["parentSpanId"] = span.parent_id;
  if (span.failed) {
    json["status"] = {{"code", status_error}};
    if (!span.failure.empty()) json["status"]["message"] = span.failure;
  }
  return json;
}

}  // namespace

std::string encode_otlp_traces(const SpanAttributes& resource, std::string_view scope_version,
                               std::span<const Span> spans) {
  OtlpJson list = OtlpJson::array();
  for (const Span& span : spans) list.push_back(otlp_span(span));
  const OtlpJson scope = {{"name", "premise"}, {"version", std::string(scope_version)}};
  const OtlpJson scope_spans = {{"scope", scope}, {"spans", std::move(list)}};
  const OtlpJson resource_spans = {{"resource", {{"attributes", otlp_attributes(resource)}}},
                                   {"scopeSpans", OtlpJson::array({scope_spans})}};
  const OtlpJson body = {{"resourceSpans", OtlpJson::array({resource_spans})}};
  return body.dump(-1, ' ', false, OtlpJson::error_handler_t::replace);
}

std::uint64_t rejected_spans(std::string_view answer) {
  const OtlpJson json = OtlpJson::parse(answer, nullptr, false);
  if (!json.is_object()) return 0;
  const auto partial = json.find("partialSuccess");
  if (partial == json.end() || !partial->is_object()) return 0;
  const auto rejected = partial->find("rejectedSpans");
  if (rejected == partial->end()) return 0;
  if (rejected->is_number_unsigned()) return rejected->get<std::uint64_t>();
  if (!rejected->is_string()) return 0;
  std::uint64_t count = 0;
  for (const char digit : rejected->get_ref<const std::string&>()) {
    if (digit < '0' || digit > '9' || count > 1'000'000'000) return 0;
    count = count * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return count;
}

}  // namespace premise
