// What dialects take, and how they say no: by the name of the field, in OpenAI's shape.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "serve/api/dialect.h"
#include "serve/api/embedded_openapi.h"

namespace premise {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

OrApiError<GenerationCall> decode(std::string_view path, std::string_view body,
                                  std::string_view content_type = "application/json") {
  const auto route = find_route("POST", path);
  if (const auto* error = std::get_if<ApiError>(&route)) return *error;
  return std::get<Route>(route).dialect->decode({"POST", path, content_type, body});
}

constexpr std::string_view chat_path = "/v1/chat/completions", text_path = "/v1/completions";

ApiError refused(std::string_view path, std::string_view body) {
  const auto call = decode(path, body);
  if (const auto* error = std::get_if<ApiError>(&call)) return *error;
  ADD_FAILURE() << "was taken: " << body;
  return {};
}

GenerationCall taken(std::string_view path, const std::string& body) {
  auto call = decode(path, body);
  if (const auto* error = std::get_if<ApiError>(&call)) {
    ADD_FAILURE() << error->what.en << " in " << body;
    GenerationCall none;
    none.request.prompts.emplace_back(std::string());
    return none;
  }
  return std::get<GenerationCall>(std::move(call));
}

std::string chat_with(const std::string& fields) {
  return R"({"model":"m","messages":[{"role":"user","content":"hi"}])" +
         (fields.empty() ? "" : "," + fields) + "}";
}
std::string text_with(const std::string& fields) {
  return R"({"model":"m","prompt":"hi")" + (fields.empty() ? "" : "," + fields) + "}";
}

json golden(const char* name) {
  std::ifstream file(std::string(PREMISE_SOURCE_DIR "/tests/golden/api/") + name);
  EXPECT_TRUE(file) << name;
  return json::parse(file);
}

TEST(ApiRequests, WhatTheOfficialClientSendsIsTaken) {
  const json requests = golden("client_requests.json");
  ASSERT_GT(requests.size(), 8u);
  for (const json& request : requests)
    taken(request["path"].get<std::string>(), request["body"].get<std::string>());
}

TEST(ApiRequests, DefaultsAreOpenAIs) {
  const GenerationCall chat = taken(chat_path, chat_with(""));
  EXPECT_EQ(chat.model, "m");
  EXPECT_FLOAT_EQ(chat.request.sampling.temperature, 1.0f);
  EXPECT_FLOAT_EQ(chat.request.sampling.top_p, 1.0f);
  EXPECT_EQ(chat.request.choices, 1u);
  EXPECT_FALSE(chat.request.max_tokens) << "what the context leaves";
  EXPECT_FALSE(chat.request.seed);
  EXPECT_FALSE(chat.stream);
  EXPECT_TRUE(chat.result_cache);
  EXPECT_EQ(taken(text_path, text_with("")).request.max_tokens, 16u);
}

TEST(ApiRequests, EveryFieldArrives) {
  const GenerationCall call = taken(
      chat_path,
      chat_with(R"("n":3,"seed":-1,"stop":["a","b"],"temperature":0.5,"top_p":0.25,"min_p":0.125,)"
                R"("top_k":40,"frequency_penalty":-2,"presence_penalty":1.5,)"
                R"("repetition_penalty":1.25,"logit_bias":{"17":-100,"18":2.5},"stream":true,)"
                R"("stream_options":{"include_usage":true},"max_completion_tokens":9,)"
                R"("logprobs":true,"top_logprobs":5,"ignore_eos":true,"cache":false)"));
  const GenerationRequest& request = call.request;
  EXPECT_EQ(request.choices, 3u);
  EXPECT_EQ(request.seed, UINT64_MAX);
  EXPECT_EQ(request.stop, (std::vector<std::string>{"a", "b"}));
  EXPECT_FLOAT_EQ(request.sampling.temperature, 0.5f);
  EXPECT_FLOAT_EQ(request.sampling.top_p, 0.25f);
  EXPECT_FLOAT_EQ(request.sampling.min_p, 0.125f);
  EXPECT_EQ(request.sampling.top_k, 40u);
  EXPECT_FLOAT_EQ(request.sampling.frequency_penalty, -2.0f);
  EXPECT_FLOAT_EQ(request.sampling.presence_penalty, 1.5f);
  EXPECT_FLOAT_EQ(request.sampling.repetition_penalty, 1.25f);
  ASSERT_EQ(request.sampling.logit_bias.size(), 2u);
  EXPECT_EQ(request.sampling.logit_bias[0], (std::pair<TokenId, float>(17, -100.0f)));
  EXPECT_TRUE(call.stream && call.include_usage && !call.result_cache);
  EXPECT_EQ(request.max_tokens, 9u);
  EXPECT_TRUE(request.logprobs && request.ignore_eos);
  EXPECT_EQ(request.top_logprobs, 5u);
}

TEST(ApiRequests, NullIsAsGoodAsAbsent) {
  taken(chat_path, chat_with(R"("n":null,"stop":null,"tools":null,"stream_options":null,)"
                             R"("temperature":null,"logit_bias":null,"reasoning_effort":null)"));
}

TEST(ApiRequests, PromptsHaveFourShapes) {
  const auto prompts = [](const std::string& prompt) {
    return taken(text_path, R"({"model":"m","prompt":)" + prompt + "}").request.prompts;
  };
  EXPECT_EQ(std::get<std::string>(prompts(R"("one")").at(0)), "one");
  EXPECT_EQ(prompts(R"(["one","two"])").size(), 2u);
  EXPECT_EQ(std::get<std::vector<TokenId>>(prompts("[1,2,3]").at(0)),
            (std::vector<TokenId>{1, 2, 3}));
  EXPECT_EQ(prompts("[[1],[2,3]]").size(), 2u);
  for (const char* wrong : {"[]", "5", "{}", R"(["a",1])", "[1,\"a\"]", "[[1],\"a\"]", "[1.5]",
                            "[-1]", "[4294967296]", "[[1,null]]"})
    EXPECT_EQ(refused(text_path, std::string(R"({"model":"m","prompt":)") + wrong + "}").param,
              "prompt")
        << wrong;
}

TEST(ApiRequests, MessagesKeepTheirPartsAndCalls) {
  const GenerationCall call =
      taken(chat_path,
            R"({"model":"m","messages":[{"role":"system","content":[{"type":"text","text":"a"},)"
            R"({"type":"text","text":"b"}]},{"role":"assistant","content":null,"refusal":null,)"
            R"("tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":)"
            R"("{\"x\":1}"}}]},{"role":"tool","tool_call_id":"1","content":"9"}]})");
  const auto& messages = std::get<Conversation>(call.request.prompts.at(0)).messages;
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(messages[0].parts.size(), 2u);
  const auto& tool = std::get<ToolCall>(messages[1].parts.at(0));
  EXPECT_EQ(tool.name, "f");
  EXPECT_NE(tool.arguments.dict(), nullptr);
  EXPECT_EQ(messages[2].tool_call_id, "1");
}

TEST(ApiRequests, UnknownNamesAreRefusedWithTheNearest) {
  const ApiError error = refused(chat_path, chat_with(R"("temprature":0)"));
  EXPECT_EQ(error.status, 400);
  EXPECT_EQ(error.code, "unknown_parameter");
  EXPECT_EQ(error.param, "temprature");
  EXPECT_THAT(error.what.en, HasSubstr("temperature"));
  EXPECT_THAT(error.what.zh, HasSubstr("temperature"));
  const ApiError inner = refused(
      chat_path, R"({"model":"m","messages":[{"role":"user","content":"x","contents":1}]})");
  EXPECT_EQ(inner.param, "messages[0].contents");
}

struct Wrong {
  const char* fields;
  const char* param;
};
TEST(ApiRequests, WrongValuesAreRefusedByName) {
  for (const Wrong& wrong : std::initializer_list<Wrong>{
           {R"("temperature":2.1)", "temperature"},
           {R"("temperature":"hot")", "temperature"},
           {R"("top_p":-0.1)", "top_p"},
           {R"("n":0)", "n"},
           {R"("n":129)", "n"},
           {R"("n":1.0)", "n"},
           {R"("n":18446744073709551615)", "n"},
           {R"("seed":"x")", "seed"},
           {R"("seed":9223372036854775808)", "seed"},
           {R"("stop":"")", "stop"},
           {R"("stop":[""])", "stop"},
           {R"("stop":[1])", "stop"},
           {R"("stop":{})", "stop"},
           {R"("stream":1)", "stream"},
           {R"("stream_options":{})", "stream_options"},
           {R"("stream":true,"stream_options":{"x":1})", "stream_options.x"},
           {R"("logit_bias":{"a":1})", "logit_bias"},
           {R"("logit_bias":{"1":101})", "logit_bias"},
           {R"("logit_bias":{"1 ":1})", "logit_bias"},
           {R"("logit_bias":[])", "logit_bias"},
           {R"("top_logprobs":1)", "top_logprobs"},
           {R"("logprobs":true,"top_logprobs":21)", "top_logprobs"},
           {R"("max_tokens":0)", "max_tokens"},
           {R"("max_tokens":1,"max_completion_tokens":2)", "max_tokens"},
           {R"("top_k":-2)", "top_k"},
           {R"("min_p":1.5)", "min_p"},
           {R"("repetition_penalty":0)", "repetition_penalty"},
           {R"("tools":[{}])", "tools"},
           {R"("tool_choice":"required")", "tool_choice"},
           {R"("response_format":{"type":"json_object"})", "response_format"},
           {R"("reasoning_effort":"low")", "reasoning_effort"}})
    EXPECT_EQ(refused(chat_path, chat_with(wrong.fields)).param, wrong.param) << wrong.fields;
  for (const Wrong& wrong :
       std::initializer_list<Wrong>{{R"("best_of":2)", "best_of"},
                                    {R"("suffix":"x")", "suffix"},
                                    {R"("logprobs":true)", "logprobs"},
                                    {R"("logprobs":1,"echo":true)", "logprobs"},
                                    {R"("max_tokens":-1)", "max_tokens"},
                                    {R"("messages":[])", "messages"}})
    EXPECT_EQ(refused(text_path, text_with(wrong.fields)).param, wrong.param) << wrong.fields;
}

TEST(ApiRequests, WrongMessagesAreRefusedByPlace) {
  const auto param = [](const char* messages) {
    return refused(chat_path, std::string(R"({"model":"m","messages":)") + messages + "}").param;
  };
  EXPECT_EQ(param("[]"), "messages");
  EXPECT_EQ(param("{}"), "messages");
  EXPECT_EQ(param("[1]"), "messages[0]");
  EXPECT_EQ(param(R"([{"content":"x"}])"), "messages[0].role");
  EXPECT_EQ(param(R"([{"role":"boss","content":"x"}])"), "messages[0].role");
  EXPECT_EQ(param(R"([{"role":"user"}])"), "messages[0].content");
  EXPECT_EQ(param(R"([{"role":"user","content":5}])"), "messages[0].content");
  EXPECT_EQ(param(R"([{"role":"user","content":[5]}])"), "messages[0].content[0]");
  EXPECT_EQ(param(R"([{"role":"user","content":[{"type":"image_url"}]}])"),
            "messages[0].content[0].type");
  EXPECT_EQ(param(R"([{"role":"tool","content":"x"}])"), "messages[0].tool_call_id");
  EXPECT_EQ(
      param(R"([{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"1"}}]}])"),
      "messages[0].tool_calls[0].function.arguments");
}

TEST(ApiRequests, BodiesAreBounded) {
  EXPECT_EQ(std::get<ApiError>(decode(chat_path, "{}", "text/plain")).status, 415);
  EXPECT_EQ(std::get<ApiError>(decode(chat_path, "{}", "")).status, 415);
  EXPECT_TRUE(std::holds_alternative<GenerationCall>(
      decode(chat_path, chat_with(""), "Application/JSON ; charset=utf-8")));
  for (const std::string& body :
       {std::string(), std::string("{"), std::string("[]"), std::string("null"),
        std::string("{\"a\":\"\xff\"}"), std::string("{\"a\":\"\\ud800\"}"),
        std::string("{\"a\":1e999}"), std::string(R"({"model":"a","model":"b"})"),
        std::string(R"({"x":[{"y":1,"y":2}]})"), "{\"a\":" + std::string(100'000, '[') + "}",
        "{\"a\":" + std::string(100, '[') + std::string(100, ']') + "}"})
    EXPECT_EQ(refused(chat_path, body).code, "invalid_json") << body.substr(0, 60);
  std::string many = "{\"a\":[0";
  for (int i = 0; i < 1'000'000; ++i) many += ",0";
  EXPECT_EQ(refused(chat_path, many + "]}").code, "invalid_json");
}

TEST(ApiRequests, PlainChatAsksOneQuestion) {
  const GenerationCall call = taken("/chat", R"({"input_text":"hi","system":"be brief"})");
  const auto& messages = std::get<Conversation>(call.request.prompts.at(0)).messages;
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].role, "system");
  EXPECT_TRUE(call.model.empty());
  EXPECT_EQ(refused("/chat", "{}").param, "input_text");
  EXPECT_EQ(refused("/chat", R"({"input_text":"x","stream":true})").param, "stream");
}

TEST(ApiRoutes, PathsAndMethodsAreToldApart) {
  const auto status = [](std::string_view method, std::string_view path) {
    const auto route = find_route(method, path);
    const auto* error = std::get_if<ApiError>(&route);
    return error == nullptr ? 200 : error->status;
  };
  EXPECT_EQ(status("GET", "/health"), 200);
  EXPECT_EQ(status("HEAD", "/health"), 200);
  EXPECT_EQ(status("GET", "/v1/models"), 200);
  EXPECT_EQ(status("POST", "/health"), 405);
  EXPECT_EQ(status("GET", "/v1/chat/completions"), 405);
  EXPECT_EQ(status("GET", "/v1/models/"), 404);
  EXPECT_EQ(status("GET", "/v1/chat"), 404);
  const auto route = find_route("GET", "/v1/models/org/name:4b");
  EXPECT_EQ(std::get<Route>(route).rest, "org/name:4b");
  std::string allow;
  EXPECT_EQ(std::get<ApiError>(find_route("PUT", "/health", &allow)).status, 405);
  EXPECT_EQ(allow, "GET, HEAD");
}

// Every path is documented, and every documented field is known: with null it is not refused.
TEST(ApiDocument, DocumentsEveryPathAndField) {
  const json document = json::parse(embedded_openapi());
  for (const Dialect* dialect : all_api()) {
    std::string method(dialect->method);
    std::ranges::transform(method, method.begin(),
                           [](char c) { return static_cast<char>(c | 32); });
    EXPECT_TRUE(document["paths"][std::string(dialect->path)].contains(method)) << dialect->path;
  }
  EXPECT_EQ(document["paths"].size(), all_api().size());
  const std::pair<const char*, const char*> schemas[] = {{"ChatRequest", "/v1/chat/completions"},
                                                         {"CompletionRequest", "/v1/completions"},
                                                         {"PlainRequest", "/chat"}};
  for (const auto& [schema, path] : schemas) {
    const json& properties = document["components"]["schemas"][schema]["properties"];
    json body = {{"model", "m"}};
    if (std::string(path) == "/v1/completions") body["prompt"] = "x";
    if (std::string(path) == "/v1/chat/completions")
      body["messages"] = json::array({{{"role", "user"}, {"content", "x"}}});
    if (std::string(path) == "/chat") body["input_text"] = "x";
    for (const auto& [name, value] : properties.items())
      if (!body.contains(name)) body[name] = nullptr;
    taken(path, body.dump());
  }
}

}  // namespace
}  // namespace premise
