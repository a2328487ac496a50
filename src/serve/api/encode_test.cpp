// What dialects write, held to recordings that OpenAI's own client has read
// (tests/conformance/openai_client.py). PREMISE_RECORD_GOLDENS=1 writes them anew.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "serve/api/dialect.h"
#include "serve/api/json_writer.h"

namespace premise {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

void expect_recorded(const std::string& name, const std::string& bytes) {
  const std::string path = PREMISE_SOURCE_DIR "/tests/golden/api/" + name;
  if (std::getenv("PREMISE_RECORD_GOLDENS") != nullptr) std::ofstream(path) << bytes;
  std::ifstream file(path);
  std::stringstream recorded;
  recorded << file.rdbuf();
  EXPECT_EQ(bytes, recorded.str()) << name;
}

struct Exchange {
  std::string path, body;
  ReplyHead head{"0123456789abcdef", 1'700'000'000, "tiny \"model\"", Language::english};

  std::unique_ptr<ReplyEncoder> encoder() const {
    const Dialect& dialect = *std::get<Route>(find_route("POST", path)).dialect;
    auto call = dialect.decode({"POST", path, "application/json", body});
    if (const auto* error = std::get_if<ApiError>(&call)) {
      ADD_FAILURE() << error->what.en;
      return nullptr;
    }
    return dialect.encode(std::get<GenerationCall>(call), head);
  }
  std::string stream(const std::vector<EndpointEvent>& events) const {
    const auto encoder = this->encoder();
    EXPECT_TRUE(encoder->streams());
    const Reply head_reply = encoder->head();
    EXPECT_THAT(head_reply.content_type, HasSubstr("text/event-stream"));
    std::string all = head_reply.body;
    for (const EndpointEvent& event : events) all += encoder->take(event);
    return all;
  }
  Reply whole(const std::vector<EndpointEvent>& events) const {
    const auto encoder = this->encoder();
    EXPECT_FALSE(encoder->streams());
    for (const EndpointEvent& event : events) EXPECT_EQ(encoder->take(event), "");
    return encoder->whole();
  }
};

std::vector<EndpointEvent> two_choices(bool tokens) {
  TextEvent first{0, "Grüß \"Gott\"\n", {}};
  TextEvent second{1, "你好 \x01😀", {}};
  TextEvent third{0, " again", {}};
  if (tokens) {
    first.tokens = {{{11, "Grüß", -0.25f}, 0, {{11, "Grüß", -0.25f}, {12, "\xe4\xbd", -2.5f}}},
                    {{13, " \"Gott\"\n", -1.0f}, 4, {}}};
    second.tokens = {{{14, "\xe4\xbd", -0.125f}, 0, {{15, "\xa0", -7.0f}, {16, "\xa1", -8.0f}}},
                     {{15, "\xa0好 \x01😀", -INFINITY}, 0, {}}};
    third.tokens = {{{17, " again", 0.0f}, 12, {}}};
  }
  return {first,
          second,
          third,
          ChoiceEnd{1, ChoiceEnding::length},
          ChoiceEnd{0, ChoiceEnding::stop},
          Ended{Ended::How::complete, {7, 5, 4}, {}}};
}

const char* const chat_body =
    R"({"model":"m","messages":[{"role":"user","content":"x"}],"n":2,"logprobs":true,)"
    R"("top_logprobs":2)";
const char* const text_body = R"({"model":"m","prompt":"x","n":2,"logprobs":2)";

TEST(ApiReplies, ChatWhole) {
  const Exchange exchange{"/v1/chat/completions", std::string(chat_body) + "}"};
  const Reply reply = exchange.whole(two_choices(true));
  EXPECT_EQ(reply.status, 200);
  expect_recorded("chat.json", reply.body);
  const json parsed = json::parse(reply.body);
  EXPECT_EQ(parsed["choices"][0]["message"]["content"], "Grüß \"Gott\"\n again");
  EXPECT_EQ(parsed["choices"][1]["finish_reason"], "length");
  EXPECT_EQ(parsed["usage"]["total_tokens"], 12);
  EXPECT_EQ(parsed["choices"][1]["logprobs"]["content"][0]["bytes"], json({0xe4, 0xbd}));
}

TEST(ApiReplies, ChatStream) {
  const Exchange exchange{
      "/v1/chat/completions",
      std::string(chat_body) + R"(,"stream":true,"stream_options":{"include_usage":true}})"};
  expect_recorded("chat.sse", exchange.stream(two_choices(true)));
}

TEST(ApiReplies, CompletionWhole) {
  const Exchange exchange{"/v1/completions", std::string(text_body) + "}"};
  const Reply reply = exchange.whole(two_choices(true));
  expect_recorded("completion.json", reply.body);
  const json parsed = json::parse(reply.body);
  EXPECT_EQ(parsed["choices"][0]["logprobs"]["text_offset"], json({0, 4, 12}));
  EXPECT_EQ(parsed["choices"][1]["logprobs"]["top_logprobs"][0].size(), 1u)
      << "bytes that read the same are one name: the likelier";
}

TEST(ApiReplies, CompletionStream) {
  const Exchange exchange{"/v1/completions", std::string(text_body) + R"(,"stream":true})"};
  expect_recorded("completion.sse", exchange.stream(two_choices(true)));
}

TEST(ApiReplies, ChatWithoutLogprobs) {
  const Exchange exchange{
      "/v1/chat/completions",
      R"({"model":"m","messages":[{"role":"user","content":"x"}],"stream":true})"};
  expect_recorded("chat_plain.sse",
                  exchange.stream({TextEvent{0, "a", {}}, ChoiceEnd{0, ChoiceEnding::filtered},
                                   Ended{Ended::How::complete, {1, 1, 0}, {}}}));
}

TEST(ApiReplies, PlainChat) {
  const Exchange exchange{"/chat", R"({"input_text":"x"})"};
  const Reply reply = exchange.whole({TextEvent{0, "a\"b", {}}, ChoiceEnd{0, ChoiceEnding::stop},
                                      Ended{Ended::How::complete, {1, 1, 0}, {}}});
  EXPECT_EQ(reply.body, R"({"reply":"a\"b"})");
}

TEST(ApiReplies, AFailureIsAnErrorWhole) {
  for (const char* path : {"/v1/chat/completions", "/v1/completions", "/chat"}) {
    const Exchange exchange{path,
                            std::string(path) == "/chat" ? R"({"input_text":"x"})"
                            : std::string(path) == "/v1/completions"
                                ? R"({"model":"m","prompt":"x"})"
                                : R"({"model":"m","messages":[{"role":"user","content":"x"}]})"};
    Reply reply = exchange.whole(
        {TextEvent{0, "half", {}}, Ended{Ended::How::failed, {}, {"it broke", "出错了"}}});
    EXPECT_EQ(reply.status, 500);
    EXPECT_EQ(json::parse(reply.body)["error"]["message"], "it broke");
    reply = exchange.whole({Ended{Ended::How::cancelled, {}, {}}});
    EXPECT_EQ(reply.status, 503);
    ASSERT_FALSE(reply.headers.empty());
    EXPECT_EQ(reply.headers[0].first, "Retry-After");
  }
}

TEST(ApiReplies, AFailureInAStreamIsAnEventAndNoDone) {
  const Exchange exchange{
      "/v1/chat/completions",
      R"({"model":"m","messages":[{"role":"user","content":"x"}],"stream":true})"};
  const std::string bytes = exchange.stream(
      {TextEvent{0, "half", {}}, Ended{Ended::How::failed, {}, {"it broke", "出错了"}}});
  expect_recorded("chat_failed.sse", bytes);
  EXPECT_THAT(bytes, HasSubstr("it broke"));
  EXPECT_THAT(bytes, ::testing::Not(HasSubstr("[DONE]")));
}

TEST(ApiReplies, ModelsAreListedAndFound) {
  const ServiceView view{{{"a/b", 5, 4096}, {"c", 6, 8}}, true, Language::english};
  const auto get = [&](std::string_view path) {
    const Route route = std::get<Route>(find_route("GET", path));
    return route.dialect->answer(view, route.rest);
  };
  expect_recorded("models.json", get("/v1/models").body);
  EXPECT_EQ(json::parse(get("/v1/models/a/b").body)["context_length"], 4096);
  EXPECT_EQ(get("/v1/models/nobody").status, 404);
  EXPECT_EQ(get("/ready").status, 200);
  EXPECT_EQ(get("/health").body, R"({"status":"ok"})");
  const ServiceView loading{};
  const Route ready = std::get<Route>(find_route("GET", "/ready"));
  EXPECT_EQ(ready.dialect->answer(loading, "").status, 503);
  EXPECT_FALSE(std::get<Route>(find_route("GET", "/health")).dialect->needs_key);
  EXPECT_TRUE(std::get<Route>(find_route("GET", "/v1/models")).dialect->needs_key);
}

TEST(ApiErrors, HaveOpenAIsShapeInBothLanguages) {
  const ApiError error{
      429, {"too \"fast\"", "太快"}, "rate_limit_exceeded", "", std::chrono::seconds(7)};
  const Reply reply = error_reply(error, Language::english);
  EXPECT_EQ(reply.body, R"({"error":{"message":"too \"fast\"","type":"rate_limit_error",)"
                        R"("param":null,"code":"rate_limit_exceeded"}})");
  EXPECT_EQ(reply.headers.at(0).second, "7");
  EXPECT_THAT(error_reply(error, Language::chinese).body, HasSubstr("太快"));
  EXPECT_EQ(reply_language("zh-CN,zh;q=0.9", Language::english), Language::chinese);
  EXPECT_EQ(reply_language("en", Language::chinese), Language::english);
  EXPECT_EQ(reply_language("", Language::chinese), Language::chinese);
}

TEST(ApiErrors, RefusalsOfEndpointsKeepTheirReason) {
  ApiError error = to_api_error({RefusalReason::too_long, {"8 of 4", "8/4"}, "messages"});
  EXPECT_EQ(error.status, 400);
  EXPECT_EQ(error.code, "context_length_exceeded");
  error = to_api_error({RefusalReason::queue_full, {"full", "满"}, "", std::chrono::seconds(3)});
  EXPECT_EQ(error.status, 503);
  EXPECT_EQ(error.retry_after.count(), 3);
  EXPECT_THAT(model_not_found("tinny", {{"tiny", 0, 0}}).what.en, HasSubstr("did you mean 'tiny'"));
}

TEST(JsonWriting, IsAlwaysJson) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  for (const std::string& text :
       {all, std::string("\xed\xa0\x80"), std::string("\xf4\x90\x80\x80"), std::string("\xe4\xbd"),
        std::string("\xc0\x80"), std::string("é中😀")}) {
    std::string out;
    append_json_string(out, text);
    EXPECT_TRUE(json::accept(out)) << out;
  }
  std::string out;
  append_json_string(out, "é中😀");
  EXPECT_EQ(json::parse(out), "é中😀");
}

}  // namespace
}  // namespace premise
