// The laws of the service as a client sees them: who is let in, what it may cost, one end for every
// answer, and how it all changes while it runs.
#include "serve/server.h"

#include <gmock/gmock.h>

#include "serve/server_testing.h"

namespace premise {
namespace {

using testing::Asked;
using testing::eventually;
using ::testing::HasSubstr;
using testing::RawClient;
using namespace std::chrono_literals;

using ServerTest = testing::ServiceTest;

constexpr unsigned inference = static_cast<unsigned>(Scope::inference);
constexpr unsigned admin = static_cast<unsigned>(Scope::admin);

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

// Answers

TEST_F(ServerTest, AnswersWholeAndInPieces) {
  start();
  const Asked whole = complete();
  EXPECT_EQ(whole.status, 200);
  EXPECT_TRUE(whole.says(R"("text":"one")")) << whole.all;
  const Asked stream = complete("", R"(,"stream":true)");
  EXPECT_EQ(stream.status, 200);
  EXPECT_EQ(count(stream.all, "data: [DONE]"), 1u);
  EXPECT_EQ(count(stream.all, R"("finish_reason":"stop")"), 1u);
}

TEST_F(ServerTest, EveryAnswerIsLoggedOnceWithItsTokens) {
  start();
  complete();
  ask("GET", "/nothing");
  const std::string log = logged();
  EXPECT_EQ(count(log, "\n"), 2u) << log;
  EXPECT_THAT(log, HasSubstr(R"("complete")"));
  EXPECT_THAT(log, HasSubstr("not_found"));
}

TEST_F(ServerTest, WhatFitsNowhereIsRefusedWithAReason) {
  start();
  EXPECT_TRUE(ask("POST", "/v1/completions", R"({"model":"m","prompt":"x","max_tokens":9999})")
                  .says("context_length_exceeded"));
  EXPECT_EQ(ask("POST", "/v1/completions", R"({"model":"n","prompt":"x"})").status, 404);
  EXPECT_EQ(ask("POST", "/v1/completions", "{").status, 400);
  EXPECT_EQ(ask("PUT", "/v1/completions").status, 405);
  gate("one", false);
  std::vector<std::future<Asked>> waiting;
  for (int i = 0; i < 8; ++i)  // four computed, four in the queue
    waiting.push_back(ask_later("POST", "/v1/completions", completion()));
  ASSERT_TRUE(eventually([&] { return accepted() == 8; }));
  // Those that came through hold a place each; whoever else comes is sent away at once.
  ASSERT_TRUE(eventually([&] {
    const Asked full = complete();
    return full.status == 503 && full.says("queue_full") && full.says("Retry-After");
  }));
  gate("one", true);
  for (auto& each : waiting) EXPECT_EQ(each.get().status, 200);
}

TEST_F(ServerTest, AClientThatLeavesFreesItsPlace) {
  start();
  gate("one", false);
  {
    RawClient client(server_->port());
    client.send(bytes_of("POST", "/v1/completions", completion(R"(,"stream":true)"), ""));
    ASSERT_THAT(client.read_until("\r\n\r\n"), HasSubstr("200"));
  }
  gate("one", true);
  EXPECT_TRUE(eventually([&] { return accepted() == 0; }));
  EXPECT_TRUE(eventually([&] { return count(logged(), "\n") == 1; }));
}

TEST_F(ServerTest, AnAnswerThatDoesNotEndIsToldInsteadOfWaitedForWithoutEnd) {
  start();
  gate("one", false);
  auto answer = ask_later("POST", "/v1/completions", completion());
  ASSERT_TRUE(eventually([&] { return accepted() == 1; }));
  server_->drain(std::chrono::milliseconds(1));
  EXPECT_FALSE(server_->wait_for_answers(std::chrono::milliseconds(20)));
  EXPECT_FALSE(models_->close(std::chrono::milliseconds(20)));
  gate("one", true);
  EXPECT_TRUE(server_->wait_for_answers(std::chrono::seconds(20)));
  server_.reset();
  EXPECT_TRUE(models_->close(std::chrono::seconds(20)));
  answer.wait();
}

TEST_F(ServerTest, DrainingLetsRunningAnswersEnd) {
  start();
  gate("one", false);
  auto answer = ask_later("POST", "/v1/completions", completion(R"(,"stream":true)"));
  ASSERT_TRUE(eventually([&] { return accepted() == 1; }));
  auto drained = std::async(std::launch::async, [&] { server_->drain(20s); });
  std::this_thread::sleep_for(10ms);
  gate("one", true);
  EXPECT_EQ(count(answer.get().all, "data: [DONE]"), 1u);
  drained.get();
}

TEST_F(ServerTest, AServerThatEndsCutsWhatStillRuns) {
  start();
  gate("one", false);
  auto answer = ask_later("POST", "/v1/completions", completion(R"(,"stream":true)"));
  ASSERT_TRUE(eventually([&] { return accepted() == 1; }));
  auto ended = std::async(std::launch::async, [&] { server_->drain(0ms); });
  gate("one", true);
  ended.get();
  answer.get();
  server_.reset();
  models_.reset();
  for (const auto& leaked : leaks_) EXPECT_EQ(*leaked, 0u);
}

// Gate A

TEST_F(ServerTest, WithoutAKeyNothingIsReadAndTheAnswerSaysHowToAsk) {
  need_keys();
  start();
  RawClient client(server_->port());
  client.send(
      "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20000000\r\n\r\n");
  const std::string answer = client.read_until("}}");  // not a byte of the body was sent
  EXPECT_THAT(answer, HasSubstr("401"));
  EXPECT_THAT(answer, HasSubstr(R"(WWW-Authenticate: Bearer realm="premise")"));
  EXPECT_EQ(ask("GET", "/health").status, 200);
  const Asked wrong = complete("sk-wrong");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_TRUE(wrong.says("invalid_token"));
}

TEST_F(ServerTest, AKeyOpensWhatItsScopeSays) {
  need_keys();
  start();
  const std::string user = make_key("user", inference), boss = make_key("boss", admin);
  EXPECT_EQ(complete(user).status, 200);
  EXPECT_EQ(ask("GET", "/metrics", "", user).status, 403);
  EXPECT_EQ(ask("GET", "/admin/models", "", user).status, 403);
  EXPECT_EQ(ask("GET", "/admin/models", "", boss).status, 200);
  EXPECT_EQ(ask("GET", "/admin/models").status, 401);
  EXPECT_EQ(complete(boss).status, 403);
}

TEST_F(ServerTest, AKeyForOtherModelsLearnsNothingOfThisOne) {
  need_keys();
  start();
  const Asked asked = complete(make_key("user", inference, {}, {"n"}));
  EXPECT_EQ(asked.status, 404);
}

TEST_F(ServerTest, ARequestCountsOnceAndThenTheRateIsUsedUp) {
  need_keys();
  start();
  const std::string key = make_key("user", inference, {.requests_per_minute = 2});
  EXPECT_EQ(complete(key).status, 200);
  EXPECT_EQ(complete(key).status, 200);
  const Asked third = complete(key);
  EXPECT_EQ(third.status, 429);
  EXPECT_TRUE(third.says("Retry-After"));
}

// Gate B

TEST_F(ServerTest, TokensAreReservedBeforeAndSettledAfter) {
  need_keys();
  start();
  const std::string key = make_key("user", inference, {.tokens_per_minute = 60});
  EXPECT_EQ(complete(key).status, 200);  // 41 reserved, about 4 used
  EXPECT_EQ(complete(key).status, 200);
  EXPECT_EQ(
      ask("POST", "/v1/completions", R"({"model":"m","prompt":"x","max_tokens":70})", key).status,
      429);
}

// Reload

TEST_F(ServerTest, SettingsChangeForTheNextRequestAndNotForRunningOnes) {
  start();
  gate("one", false);
  auto running = ask_later("POST", "/v1/completions", completion());
  ASSERT_TRUE(eventually([&] { return accepted() == 1; }));
  ServiceSettings next = settings_;
  next.log = open_log("next.log");
  next.config.server.allowed_hosts = {"other.example"};
  EXPECT_EQ(ask("GET", "/health").status, 200);
  ASSERT_TRUE(server_->apply(next).ok());
  EXPECT_EQ(ask("GET", "/health").status, 200);
  gate("one", true);
  EXPECT_EQ(running.get().status, 200);
  EXPECT_EQ(count(logged(), "\n"), 2u);
  next.log->flush();
  EXPECT_EQ(count(logged("next.log"), "\n"), 1u);
}

TEST_F(ServerTest, AReloadMayAskForKeysAndFailsAsAWhole) {
  start();
  EXPECT_EQ(complete().status, 200);
  const ServiceSettings before = settings_;
  ServiceSettings open = settings_;
  open.config.server.host = "0.0.0.0";
  EXPECT_FALSE(server_->apply(open).ok());
  need_keys();
  ASSERT_TRUE(server_->apply(settings_).ok());
  EXPECT_EQ(complete().status, 401);
  EXPECT_EQ(complete(make_key("user", inference)).status, 200);
  ASSERT_TRUE(server_->apply(before).ok());
  EXPECT_EQ(complete().status, 200);
}

}  // namespace
}  // namespace premise
