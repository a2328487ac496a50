// The way of a request through the whole service, before a scripted model.
#include "serve/server.h"

#include <gmock/gmock.h>

#include "serve/server_testing.h"

namespace premise {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::RawClient;
using testing::ServedScript;
using ::testing::StartsWith;
using namespace std::chrono_literals;

constexpr std::string_view completion = R"({"model":"tiny","prompt":"abc","max_tokens":8})";

std::string authorization(const std::string& secret) {
  return "Authorization: Bearer " + secret + "\r\n";
}

ApiKey key_named(std::string name, unsigned scopes = static_cast<unsigned>(Scope::inference)) {
  ApiKey key;
  key.name = std::move(name);
  key.scopes = scopes;
  return key;
}

using TheService = ServedScript;

TEST_F(TheService, answers_and_writes_one_line_of_it) {
  start();
  const std::string answer = post("/v1/completions", completion);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, HasSubstr(R"("text":"hello")"));
  EXPECT_THAT(answer, HasSubstr("x-request-id: "));
  server_.reset();
  EXPECT_EQ(std::ranges::count(log(), '\n'), 1);
  EXPECT_THAT(log(), HasSubstr(R"("premise.outcome":"complete")"));
}

TEST_F(TheService, a_stream_ends_with_done_after_every_token) {
  start();
  const std::string answer =
      post("/v1/completions", R"({"model":"tiny","prompt":"abc","max_tokens":8,"stream":true})");
  EXPECT_THAT(answer, HasSubstr("text/event-stream"));
  EXPECT_THAT(answer, HasSubstr(R"("text":"o")"));
  EXPECT_LT(answer.find(R"("text":"o")"), answer.find("data: [DONE]"));
}

TEST_F(TheService, a_refusal_has_the_shape_of_openai_and_the_language_of_the_client) {
  start();
  EXPECT_THAT(post("/v1/completions", "{"), HasSubstr(R"("type":"invalid_request_error")"));
  const std::string chinese =
      post("/v1/completions", R"({"prompt":"a","model":"other"})", "Accept-Language: zh-CN\r\n");
  EXPECT_THAT(chinese, StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(chinese, HasSubstr("这里没有提供模型"));
  EXPECT_THAT(get("/nowhere"), StartsWith("HTTP/1.1 404"));
  const std::string wrong_method = get("/v1/completions");
  EXPECT_THAT(wrong_method, StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(wrong_method, HasSubstr("allow: POST"));
}

TEST_F(TheService, the_language_of_errors_is_the_configurations_where_a_client_names_none) {
  config_.server.language = "zh";
  start();
  EXPECT_THAT(get("/nowhere"), HasSubstr("路径"));
}

TEST_F(TheService, without_a_key_no_body_is_read) {
  make_key(key_named("alice"));
  start();
  RawClient client(server_->port());
  client.send(
      "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\n"
      "Content-Type: application/json\r\nContent-Length: 20000000\r\n\r\n{");
  const std::string answer = client.read_until("}}");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(answer, HasSubstr("WWW-Authenticate: Bearer"));
  client.close();
  server_.reset();
  EXPECT_THAT(log(), HasSubstr(R"("premise.outcome":"invalid_api_key")"));
}

TEST_F(TheService, a_key_opens_what_its_scopes_name) {
  const std::string secret = make_key(key_named("alice"));
  start();
  EXPECT_THAT(post("/v1/completions", completion, authorization(secret)),
              StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(post("/v1/completions", completion, authorization("sk-wrong")),
              StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(get("/metrics", authorization(secret)), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(get("/health"), StartsWith("HTTP/1.1 200"));
}

TEST_F(TheService, the_rate_of_a_key_is_counted_once_a_request) {
  ApiKey wanted = key_named("alice");
  wanted.limits.requests_per_minute = 2;
  const std::string secret = make_key(std::move(wanted));
  start();
  for (const char* status : {"HTTP/1.1 200", "HTTP/1.1 200", "HTTP/1.1 429"})
    EXPECT_THAT(post("/v1/completions", completion, authorization(secret)), StartsWith(status));
}

TEST_F(TheService, tokens_that_were_set_aside_and_not_used_come_back) {
  ApiKey wanted = key_named("alice");
  wanted.limits.tokens_per_minute = 45;
  const std::string secret = make_key(std::move(wanted));
  start();
  // "abc" and at most 30 tokens are set aside; "hello" and its end are used.
  for (int i = 0; i < 2; ++i)
    EXPECT_THAT(post("/v1/completions", R"({"model":"tiny","prompt":"abc","max_tokens":30})",
                     authorization(secret)),
                StartsWith("HTTP/1.1 200"));
}

TEST_F(TheService, who_hangs_up_is_not_computed_for_any_longer) {
  engine_->script = [](const StepRequest&) { return std::string(5000, 'x'); };
  engine_->context_tokens = 8000;
  start();
  {
    RawClient client(server_->port());
    const std::string body = R"({"model":"tiny","prompt":"abc","max_tokens":5000,"stream":true})";
    client.send(
        fmt::format("POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                    "application/json\r\nContent-Length: {}\r\n\r\n{}",
                    body.size(), body));
    EXPECT_THAT(client.read_until("data: "), HasSubstr("200 OK"));
    gate_->set(false);
  }
  ::usleep(50'000);  // the server notices while the model stands still
  gate_->set(true);
  EXPECT_TRUE(testing::eventually([&] { return endpoint_->load().accepted == 0; }));
  server_.reset();
  EXPECT_THAT(log(), HasSubstr(R"("premise.outcome":"cancelled")"));
}

TEST_F(TheService, drain_lets_running_answers_end_and_takes_no_more) {
  gate_->set(false);
  start();
  RawClient client(server_->port());
  client.send(
      fmt::format("POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                  "application/json\r\nContent-Length: {}\r\n\r\n{}",
                  completion.size(), completion));
  ASSERT_TRUE(testing::eventually([&] { return endpoint_->load().accepted == 1; }));
  std::thread drain([&] { server_->drain(10s); });
  gate_->set(true);
  EXPECT_THAT(client.read_response(), HasSubstr(R"("text":"hello")"));
  drain.join();
}

TEST_F(TheService, a_reload_changes_what_may_change_and_names_the_rest) {
  const std::string secret = make_key(key_named("alice"));
  start();
  Config other = config_;
  other.limits.requests_per_minute = 1;
  other.server.port = 1;
  other.log.path = (folder_ / "second.log").string();
  const auto changes = server_->reload(other);
  ASSERT_TRUE(changes.ok()) << changes.error().what.en;
  EXPECT_THAT(*changes, ::testing::UnorderedElementsAre(
                            ConfigChange{"limits.requests_per_minute", true},
                            ConfigChange{"server.port", false}, ConfigChange{"log.path", true}));
  for (const char* status : {"HTTP/1.1 200", "HTTP/1.1 429"})
    EXPECT_THAT(post("/v1/completions", completion, authorization(secret)), StartsWith(status));
  server_.reset();
  EXPECT_EQ(log(), "");
  EXPECT_TRUE(std::filesystem::file_size(folder_ / "second.log") > 0);
}

TEST_F(TheService, a_reload_that_cannot_be_done_leaves_everything_as_it_was) {
  start();
  Config other = config_;
  other.server.language = "zh";
  other.log.path = (folder_ / "no" / "such" / "folder" / "x.log").string();
  std::ofstream(folder_ / "no") << "a file";
  EXPECT_FALSE(server_->reload(other).ok());
  EXPECT_THAT(get("/nowhere"), Not(HasSubstr("路径")));
}

TEST_F(TheService, without_keys_it_stays_on_loopback) {
  config_.server.host = "0.0.0.0";
  const auto server = Server::start({config_, {}, nullptr, &metrics_});
  ASSERT_FALSE(server.ok());
  EXPECT_EQ(server.error().code, ErrorCode::usage);
}

}  // namespace
}  // namespace premise
