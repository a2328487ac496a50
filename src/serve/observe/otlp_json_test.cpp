#include "serve/observe/otlp_json.h"

#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace premise {
namespace {

std::chrono::system_clock::time_point at_nanoseconds(std::int64_t since_1970) {
  return std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(
          std::chrono::nanoseconds(since_1970)));
}

// tests/golden/make_otlp_goldens.py wrote it with OpenTelemetry's protobuf messages.
TEST(OtlpJson, IsWhatProtobufWrites) {
  std::ifstream file(PREMISE_SOURCE_DIR "/tests/golden/otlp/traces.json");
  const auto golden = nlohmann::json::parse(file);

  Span span;
  span.trace_id = "0af7651916cd43dd8448eb211c80319c";
  span.span_id = "b7ad6b7169203331";
  span.parent_id = "00f067aa0ba902b7";
  span.name = "POST /v1/chat/completions";
  span.begin = at_nanoseconds(1769903999123000000);
  span.end = at_nanoseconds(1769904000623000000);
  span.attributes = {{"text", std::string("说")},
                     {"number", std::int64_t{-9007199254740993}},
                     {"fraction", 0.25},
                     {"flag", true},
                     {"list", std::vector<std::string>{"stop", "length"}}};
  span.failed = true;
  span.failure = "it broke";
  Span plain;
  plain.trace_id = span.trace_id;
  plain.span_id = "b7ad6b7169203332";
  plain.name = "GET";
  plain.kind = SpanKind::internal;
  plain.begin = at_nanoseconds(1);
  plain.end = at_nanoseconds(2);
  plain.attributes = {{"one", std::int64_t{1}}};

  const std::vector<Span> spans = {span, plain};
  const std::string body =
      encode_otlp_traces({{"service.name", std::string("premise")}}, "1.2.3", spans);
  EXPECT_EQ(nlohmann::json::parse(body), golden) << body;
}

TEST(OtlpJson, TextThatIsNoUtf8IsStillJson) {
  Span span;
  span.name = "\xFF";
  const auto body = nlohmann::json::parse(encode_otlp_traces({}, "1", {&span, 1}));
  EXPECT_EQ(body["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"], "\uFFFD");
}

TEST(OtlpAnswer, SaysHowManySpansWereRejected) {
  EXPECT_EQ(rejected_spans(R"({"partialSuccess":{"rejectedSpans":"3","errorMessage":"x"}})"), 3u);
  EXPECT_EQ(rejected_spans(R"({"partialSuccess":{"rejectedSpans":2}})"), 2u);
  for (const char* nothing :
       {"", "{}", "[]", "x", R"({"partialSuccess":null})", R"({"partialSuccess":{}})",
        R"({"partialSuccess":{"rejectedSpans":-1}})",
        R"({"partialSuccess":{"rejectedSpans":"1x"}})",
        R"({"partialSuccess":{"rejectedSpans":[]}})"})
    EXPECT_EQ(rejected_spans(nothing), 0u) << nothing;
}

}  // namespace
}  // namespace premise
