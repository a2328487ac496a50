#include "serve/observe/request_span.h"

#include <gmock/gmock.h>

#include <map>

namespace premise {
namespace {

AccessRecord a_chat() {
  AccessRecord record;
  record.time = std::chrono::system_clock::time_point(std::chrono::seconds(1'800'000'000));
  record.method = "POST";
  record.path = "/v1/chat/completions";
  record.status = 200;
  record.client = "10.0.0.7";
  record.request_id = "abc";
  record.key = "alice";
  record.model = "gemma3";
  record.outcome = "complete";
  record.seconds = 1.5;
  record.first_token_seconds = 0.25;
  record.prompt_tokens = 12;
  record.cached_tokens = 8;
  record.completion_tokens = 34;
  return record;
}

TraceContext a_trace() {
  return {"0af7651916cd43dd8448eb211c80319c", "00f067aa0ba902b7", "b7ad6b7169203331", true};
}

std::map<std::string, SpanValue> by_name(const Span& span) {
  return {span.attributes.begin(), span.attributes.end()};
}

TEST(RequestSpan, HasTheNamesOfTheHttpAndGenAiConventions) {
  const Span span =
      request_span(a_trace(), a_chat(), {"/v1/chat/completions", "https", "chat", {"stop"}});
  EXPECT_EQ(span.name, "POST /v1/chat/completions");
  EXPECT_EQ(span.kind, SpanKind::server);
  EXPECT_EQ(span.parent_id, "00f067aa0ba902b7");
  EXPECT_EQ(span.end - span.begin, std::chrono::milliseconds(1500));
  EXPECT_FALSE(span.failed);
  const std::map<std::string, SpanValue> expected = {
      {"http.request.method", std::string("POST")},
      {"http.route", std::string("/v1/chat/completions")},
      {"url.path", std::string("/v1/chat/completions")},
      {"url.scheme", std::string("https")},
      {"client.address", std::string("10.0.0.7")},
      {"http.response.status_code", std::int64_t{200}},
      {"premise.request_id", std::string("abc")},
      {"premise.key", std::string("alice")},
      {"premise.outcome", std::string("complete")},
      {"gen_ai.operation.name", std::string("chat")},
      {"gen_ai.provider.name", std::string("premise")},
      {"gen_ai.request.model", std::string("gemma3")},
      {"gen_ai.response.model", std::string("gemma3")},
      {"gen_ai.response.finish_reasons", std::vector<std::string>{"stop"}},
      {"gen_ai.usage.input_tokens", std::int64_t{12}},
      {"gen_ai.usage.output_tokens", std::int64_t{34}},
      {"gen_ai.usage.cache_read.input_tokens", std::int64_t{8}},
      {"gen_ai.response.time_to_first_chunk", 0.25}};
  EXPECT_EQ(by_name(span), expected);
}

TEST(RequestSpan, SaysNothingOfAModelThatWasNotAsked) {
  AccessRecord record = a_chat();
  record.path = "/nowhere";
  record.status = 404;
  const Span span = request_span(a_trace(), record, {});
  EXPECT_EQ(span.name, "POST");
  EXPECT_FALSE(span.failed) << "the client's fault is no failure of the server";
  for (const auto& [key, value] : span.attributes) EXPECT_FALSE(key.starts_with("gen_ai")) << key;
}

TEST(RequestSpan, FailuresAreMarked) {
  AccessRecord record = a_chat();
  record.status = 503;
  EXPECT_EQ(by_name(request_span(a_trace(), record, {})).at("error.type"),
            SpanValue(std::string("503")));
  record.status = 200;
  record.outcome = "failed";
  const Span midway = request_span(a_trace(), record, {});
  EXPECT_TRUE(midway.failed);
  EXPECT_EQ(by_name(midway).at("error.type"), SpanValue(std::string("failed")));
}

TEST(Sampling, KeepsTheCallersDecision) {
  TraceContext trace = a_trace();
  EXPECT_TRUE(is_sampled(trace, 0));
  trace.sampled = false;
  EXPECT_FALSE(is_sampled(trace, 1));
}

TEST(Sampling, GoesByTheTraceId) {
  TraceContext trace = trace_of(std::nullopt);
  EXPECT_TRUE(is_sampled(trace, 1));
  EXPECT_FALSE(is_sampled(trace, 0));
  trace.trace_id = "ffffffffffffffffff80000000000000";  // half of all ids have less behind
  EXPECT_TRUE(is_sampled(trace, 0.5));
  EXPECT_FALSE(is_sampled(trace, 0.49));
  trace.trace_id = "ffffffffffffffffff7fffffffffffff";
  EXPECT_FALSE(is_sampled(trace, 0.5));
  int sampled = 0;
  for (int i = 0; i < 4000; ++i) sampled += is_sampled(trace_of(std::nullopt), 0.25) ? 1 : 0;
  EXPECT_NEAR(sampled, 1000, 250);
}

}  // namespace
}  // namespace premise
