// Models that come, go and change, through /admin.
#include "serve/administration.h"

#include <gmock/gmock.h>

#include "serve/gate/ledger.h"
#include "serve/server_testing.h"

namespace premise {
namespace {

using testing::Asked;
using testing::eventually;
using namespace std::chrono_literals;

class AdminTest : public testing::ServiceTest {
 protected:
  Asked act(const std::string& action, const std::string& body) {
    return ask("POST", "/admin/models/" + action, body);
  }
};

TEST_F(AdminTest, ShowsWhatIsServed) {
  start();
  const Asked all = ask("GET", "/admin/models");
  EXPECT_TRUE(all.says(R"("name":"m","state":"ready","path":"one","version":1)")) << all.all;
  EXPECT_EQ(ask("GET", "/admin/models/m").status, 200);
  EXPECT_EQ(ask("GET", "/admin/models/n").status, 404);
  EXPECT_TRUE(ask("GET", "/metrics").says("premise_model_state{model=\"m\",state=\"ready\"} 1"));
}

TEST_F(AdminTest, LoadsAndUnloadsWhileItIsWaitedFor) {
  start();
  EXPECT_EQ(act("load?wait", R"({"name":"n","path":"two"})").status, 200);
  EXPECT_TRUE(ask("POST", "/v1/completions", R"({"model":"n","prompt":"x"})").says("\"two\""));
  EXPECT_EQ(act("load", R"({"name":"n","path":"two"})").status, 409);
  EXPECT_TRUE(act("unload?wait", R"({"name":"n"})").says(R"("state":"unloaded")"));
  EXPECT_EQ(ask("POST", "/v1/completions", R"({"model":"n","prompt":"x"})").status, 404);
  EXPECT_EQ(act("unload", R"({"name":"n"})").status, 404);
}

TEST_F(AdminTest, WithoutWaitingTheStateTells) {
  start();
  EXPECT_EQ(act("load", R"({"name":"n","path":"two"})").status, 202);
  EXPECT_TRUE(eventually([&] { return ask("GET", "/admin/models/n").says("\"ready\""); }));
  EXPECT_EQ(act("load", R"({"name":"o","path":"missing"})").status, 202);
  EXPECT_TRUE(eventually([&] {
    const Asked asked = ask("GET", "/admin/models/o");
    return asked.says("\"failed\"") && asked.says("no such file");
  }));
}

TEST_F(AdminTest, SwapsAndRefusesAVersionThatDoesNotAnswer) {
  start();
  EXPECT_EQ(act("swap?wait", R"({"name":"m","path":"two"})").status, 200);
  EXPECT_TRUE(complete().says("\"two\""));
  const Asked mute = act("swap?wait", R"({"name":"m","path":"mute"})");
  EXPECT_EQ(mute.status, 422);
  EXPECT_TRUE(mute.says("self-check")) << mute.all;
  EXPECT_TRUE(complete().says("\"two\""));
  EXPECT_EQ(act("swap", R"({"name":"n","path":"two"})").status, 404);
}

TEST_F(AdminTest, NoRequestIsLostWhileVersionsAreSwapped) {
  start();
  std::atomic<bool> stop = false;
  std::atomic<int> answered = 0, lost = 0;
  std::vector<std::future<void>> clients;
  for (int i = 0; i < 3; ++i)
    clients.push_back(std::async(std::launch::async, [&] {
      while (!stop) {
        const Asked asked = complete("", R"(,"stream":true)");
        const bool well = asked.status == 200 && asked.says("data: [DONE]");
        ++(well ? answered : lost);
      }
    }));
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(
        act("swap?wait", R"({"name":"m","path":"version )" + std::to_string(i) + "\"}").status,
        200);
  stop = true;
  for (auto& client : clients) client.get();
  EXPECT_EQ(lost, 0);
  EXPECT_GT(answered, 0);
}

TEST_F(AdminTest, WhatDoesNotEndInTimeIsCancelledAndSaysSo) {
  start();
  gate("one", false);
  auto running = ask_later("POST", "/v1/completions", completion());
  ASSERT_TRUE(eventually([&] { return accepted() == 1; }));
  EXPECT_EQ(act("unload", R"({"name":"m","drain_seconds":0.01})").status, 202);
  const Asked refused = complete();
  EXPECT_EQ(refused.status, 503);
  EXPECT_TRUE(refused.says("Retry-After"));
  std::this_thread::sleep_for(30ms);
  gate("one", true);
  EXPECT_EQ(running.get().status, 503);
  EXPECT_TRUE(eventually([&] { return complete().status == 404; }));
}

TEST_F(AdminTest, ASwapSaysHowItIsWatched) {
  start();
  EXPECT_TRUE(act("swap?wait", R"({"name":"m","path":"two","watch_seconds":0})")
                  .says(R"("watched":false)"));
  EXPECT_TRUE(
      act("swap?wait", R"({"name":"m","path":"one","error_rate":1})").says(R"("watched":true)"));
  for (const char* nonsense : {R"("error_rate":1.1)", R"("error_rate":-1)", R"("watch_seconds":-1)",
                               R"("watch_seconds":"60")", R"("watch_requests":5)"}) {
    const Asked refused = act("swap", std::string(R"({"name":"m","path":"two",)") + nonsense + "}");
    EXPECT_EQ(refused.status, 400) << nonsense;
    EXPECT_TRUE(refused.says(std::string(nonsense).substr(1, 10))) << refused.all;
  }
  EXPECT_TRUE(
      act("load", R"({"name":"n","path":"p","watch_seconds":1})").says("unknown_parameter"));
}

TEST_F(AdminTest, TheAuditLogTellsWhoAskedForWhatAndWhatBecameOfIt) {
  auto ledger = Ledger::open(folder_ / "gate.db", [] { return std::int64_t{0}; });
  ASSERT_TRUE(ledger.ok());
  governance_.ledger = ledger->get();
  need_keys();
  const std::string root = make_key("root", unsigned(Scope::admin));
  const std::string alice = make_key("alice", unsigned(Scope::inference));
  start();
  const auto post = [&](const std::string& action, const std::string& body,
                        const std::string& key) {
    return ask("POST", "/admin/models/" + action, body, key).status;
  };
  EXPECT_EQ(post("load?wait", R"({"name":"n","path":"two"})", root), 200);
  EXPECT_EQ(post("swap?wait", R"({"name":"n","path":"missing"})", root), 422);
  EXPECT_EQ(post("load", R"({"name":"n","path":"two"})", root), 409);
  EXPECT_EQ(post("unload?wait", R"({"name":"n"})", alice), 403);
  EXPECT_EQ(post("unload", R"({"name":"n"})", root), 202);
  EXPECT_TRUE(eventually([&] { return ask("GET", "/admin/models/n", "", root).status == 404; }));
  server_.reset();
  models_.reset();  // what nobody waited for is told by now
  ledger->reset();
  auto log = AuditLog::open(folder_ / "gate.db");
  std::vector<std::string> lines;
  ASSERT_TRUE(log->for_each({},
                            [&](const AuditLine& line) {
                              if (line.action.starts_with("/admin")) {
                                EXPECT_EQ(line.client, "127.0.0.1");
                                EXPECT_GT(line.time_ms, 0);
                                lines.push_back(line.key_name + " " + line.action.substr(14) + " " +
                                                line.model + " " + line.outcome + ": " +
                                                line.reason);
                              }
                              return true;
                            })
                  .ok());
  EXPECT_THAT(lines,
              ::testing::ElementsAre(
                  "root load n asked: two", "root load n complete: ", "root swap n asked: missing",
                  "root swap n failed: no such file", "root load n asked: two",
                  "root load n refused: model_exists", "alice unload  refused: missing_scope",
                  "root unload n asked: ", "root unload n complete: "));
  EXPECT_TRUE(log->verify()->whole());
}

TEST_F(AdminTest, TakesNoFieldThatItDoesNotKnow) {
  start();
  EXPECT_TRUE(act("load", R"({"name":"n","path":"p","contxt":1})").says("unknown_parameter"));
  EXPECT_TRUE(act("load", R"({"name":"n"})").says("missing_parameter"));
  EXPECT_EQ(act("unload", R"({"name":"m","drain_seconds":-1})").status, 400);
}

}  // namespace
}  // namespace premise
