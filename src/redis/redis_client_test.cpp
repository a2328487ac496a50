#include "redis/redis_client.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "redis/outage.h"
#include "redis/redis_testing.h"

namespace premise {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Kind = RedisReply::Kind;
using std::chrono::milliseconds;

double seconds_of(const std::function<void()>& work) {
  const auto begun = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

/// Patient by default: a busy machine is no outage.
std::unique_ptr<RedisClient> client_of(const std::string& url,
                                       RedisOptions options = {
                                           .connect_timeout = std::chrono::seconds(5),
                                           .command_timeout = std::chrono::seconds(5)}) {
  auto client = RedisClient::open(url, options);
  EXPECT_TRUE(client.ok()) << client.error().what.en;
  return std::move(*client);
}

RedisReply reply_of(const std::string& bytes) {
  RedisReplyReader reader(1 << 20);
  EXPECT_TRUE(reader.feed(bytes).ok());
  auto reply = reader.next();
  EXPECT_TRUE(reply.ok() && reply->has_value()) << bytes;
  return reply.ok() && *reply ? **reply : RedisReply{};
}

TEST(RedisReplies, AreReadWhole) {
  EXPECT_EQ(reply_of("+PONG\r\n").text, "PONG");
  EXPECT_EQ(reply_of(":-42\r\n").integer, -42);
  EXPECT_EQ(reply_of("$-1\r\n").kind, Kind::nil);
  EXPECT_EQ(reply_of("-ERR no\r\n").kind, Kind::error);
  const std::string binary("a\0\r\nb", 5);
  EXPECT_EQ(reply_of("$5\r\n" + binary + "\r\n").text, binary);
  const RedisReply list = reply_of("*3\r\n:1\r\n*2\r\n$1\r\nx\r\n$-1\r\n*0\r\n");
  ASSERT_EQ(list.list.size(), 3u);
  EXPECT_EQ(list.list[0].integer, 1);
  EXPECT_EQ(list.list[1].list.at(0).text, "x");
  EXPECT_EQ(list.list[2].kind, Kind::list);
}

TEST(RedisReplies, AreReadByteByByte) {
  RedisReplyReader reader(1 << 20);
  const std::string bytes = "*2\r\n$3\r\nabc\r\n:7\r\n+OK\r\n";
  std::vector<RedisReply> replies;
  for (const char byte : bytes) {
    ASSERT_TRUE(reader.feed({&byte, 1}).ok());
    auto reply = reader.next();
    ASSERT_TRUE(reply.ok());
    if (*reply) replies.push_back(**reply);
  }
  ASSERT_EQ(replies.size(), 2u);
  EXPECT_EQ(replies[0].list.at(0).text, "abc");
  EXPECT_EQ(replies[1].text, "OK");
}

TEST(RedisReplies, ThatAreNoneEndInAnError) {
  const std::string wrong[] = {
      "HTTP/1.1 400 Bad Request\r\n",
      "*2147483647\r\n",
      "*5000\r\n:1\r\n",
      "$99999999999999999999\r\n",
      ":abc\r\n",
      ",1.5\r\n",
      "#t\r\n",
      "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"};
  for (const std::string& bytes : wrong) {
    RedisReplyReader reader(1 << 20);
    Status status = reader.feed(bytes);
    if (status) {
      auto reply = reader.next();
      EXPECT_FALSE(reply.ok()) << bytes;
    }
  }
  RedisReplyReader reader(1000);
  ASSERT_TRUE(reader.feed("$500000\r\n" + std::string(2000, 'x')).ok());
  EXPECT_FALSE(reader.next().ok()) << "longer than allowed";
}

TEST(RedisClient, CarriesBytesThereAndBack) {
  PREMISE_NEEDS_REDIS();
  TestRedis server;
  const auto client = client_of(server.url());
  ASSERT_TRUE(client->check().ok());
  std::string value(300'000, '\0');
  for (std::size_t i = 0; i < value.size(); ++i) value[i] = static_cast<char>(i * 7);
  EXPECT_EQ(client->ask({"SET", "k\r\n\0x", value})->text, "OK");
  EXPECT_EQ(client->ask({"GET", "k\r\n\0x"})->text, value);
  EXPECT_EQ(client->ask({"GET", "absent"})->kind, Kind::nil);
  EXPECT_EQ(client->ask({"RPUSH", "list", "a", "b"})->integer, 2);
  EXPECT_EQ(client->ask({"LRANGE", "list", "0", "-1"})->list.size(), 2u);
  const auto wrong = client->ask({"GET", "list"});
  ASSERT_FALSE(wrong.ok());
  EXPECT_THAT(wrong.error().what.en, HasSubstr("WRONGTYPE"));
  EXPECT_TRUE(client->ask({"PING"}).ok()) << "an error of the server ends nothing";
}

TEST(RedisClient, ManyThreadsGetTheirOwnAnswers) {
  PREMISE_NEEDS_REDIS();
  TestRedis server;
  const auto client = client_of(server.url(), {.command_timeout = std::chrono::seconds(10)});
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        const std::string text = std::to_string(t) + ":" + std::to_string(i);
        const auto reply = client->ask({"ECHO", text});
        if (reply.ok() && reply->text == text) ++right;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 800);
}

TEST(RedisClient, DatabasesAreApart) {
  PREMISE_NEEDS_REDIS();
  TestRedis server;
  const auto zero = client_of(server.url(0)), three = client_of(server.url(3));
  ASSERT_TRUE(three->ask({"SET", "k", "three"}).ok());
  EXPECT_EQ(zero->ask({"GET", "k"})->kind, Kind::nil);
  EXPECT_EQ(three->ask({"GET", "k"})->text, "three");
  const auto absent = client_of(server.url(9999))->check();
  ASSERT_FALSE(absent.ok());
  EXPECT_THAT(absent.error().what.en, HasSubstr("no database 9999"));
}

TEST(RedisClient, ScriptsAreSentOnceAndAgainAfterARestart) {
  PREMISE_NEEDS_REDIS();
  TestRedis server;
  const auto client = client_of(server.url(), {.command_timeout = std::chrono::seconds(10)});
  const RedisScript script("return {KEYS[1], tonumber(ARGV[1]) + 1}");
  for (int i = 0; i < 3; ++i) {
    const auto reply = client->run(script, "key", {"41"});
    ASSERT_TRUE(reply.ok()) << reply.error().what.en;
    EXPECT_EQ(reply->list.at(0).text, "key");
    EXPECT_EQ(reply->list.at(1).integer, 42);
    if (i == 1) {
      ASSERT_TRUE(client->ask({"SCRIPT", "FLUSH"}).ok());
    }
  }
  const auto info = client->ask({"INFO", "commandstats"});
  EXPECT_THAT(info->text, HasSubstr("cmdstat_eval:calls=2,"));
  EXPECT_FALSE(client->run(RedisScript("this is no Lua"), "key", {}).ok());
}

TEST(RedisClient, AWrongPasswordIsToldAtOnceAndNeverShown) {
  PREMISE_NEEDS_REDIS();
  TestRedis server("open-sesame");
  EXPECT_TRUE(client_of(server.url())->check().ok());
  const Status wrong = client_of(server.url("hunter2"))->check();
  ASSERT_FALSE(wrong.ok());
  EXPECT_THAT(wrong.error().what.en, HasSubstr("not accepted (WRONGPASS)"));
  EXPECT_THAT(wrong.error().what.en, Not(HasSubstr("hunter2")));
  const Status none = client_of(server.url(""))->check();
  ASSERT_FALSE(none.ok());
  EXPECT_THAT(none.error().what.en, HasSubstr("needs a password"));
}

TEST(RedisClient, AServerThatRepeatsThePasswordIsNotRepeated) {
  RudeServer server([](int socket, const std::atomic<bool>&) {
    const std::string says = "-ERR unknown command 'AUTH', with args beginning with: 'hunter2'\r\n";
    static_cast<void>(::send(socket, says.data(), says.size(), MSG_NOSIGNAL));
  });
  const Status status = client_of(server.url(":hunter2@"))->check();
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().what.en, HasSubstr("not accepted (ERR)"));
  EXPECT_THAT(status.error().what.en, Not(HasSubstr("hunter2")));
}

TEST(RedisClient, NobodyThereIsToldWithoutWaiting) {
  const auto client = client_of("redis://127.0.0.1:" + std::to_string(free_port()),
                                {.command_timeout = std::chrono::seconds(30)});
  EXPECT_FALSE(client->check().ok());
  EXPECT_LT(seconds_of([&] {
              for (int i = 0; i < 100; ++i) EXPECT_FALSE(client->ask({"PING"}).ok());
            }),
            5.0);
}

TEST(RedisClient, AServerThatStopsCostsOneWaitAndIsFoundAgain) {
  PREMISE_NEEDS_REDIS();
  TestRedis server;
  const auto client = client_of(
      server.url(), {.connect_timeout = milliseconds(500), .command_timeout = milliseconds(400)});
  ASSERT_TRUE(client->check().ok());
  server.freeze();
  EXPECT_LT(seconds_of([&] { EXPECT_FALSE(client->ask({"PING"}).ok()); }), 5.0);
  ASSERT_TRUE(eventually([&] { return !client->ask({"PING"}).ok(); }));
  EXPECT_LT(seconds_of([&] {
              for (int i = 0; i < 100; ++i) EXPECT_FALSE(client->ask({"PING"}).ok());
            }),
            5.0)
      << "while it is down nobody waits";
  server.thaw();
  EXPECT_TRUE(eventually([&] { return client->ask({"PING"}).ok(); }));
}

TEST(RedisClient, AServerThatWasKilledIsFoundAgain) {
  PREMISE_NEEDS_REDIS();
  TestRedis server;
  const auto client = client_of(server.url());
  ASSERT_TRUE(client->check().ok());
  server.stop();
  ASSERT_TRUE(eventually([&] { return !client->ask({"PING"}).ok(); }));
  server.start();
  EXPECT_TRUE(eventually([&] { return client->ask({"PING"}).ok(); }));
}

TEST(RedisClient, DrippingBytesDoNotProlongTheWait) {
  RudeServer server([](int socket, const std::atomic<bool>& over) {
    const std::string says = "+PONG\r\n$1000000\r\n";
    static_cast<void>(::send(socket, says.data(), says.size(), MSG_NOSIGNAL));
    while (!over && ::send(socket, "x", 1, MSG_NOSIGNAL) == 1)
      std::this_thread::sleep_for(milliseconds(20));
  });
  const auto client = client_of(server.url(), {.command_timeout = milliseconds(200)});
  EXPECT_LT(seconds_of([&] { EXPECT_FALSE(client->ask({"GET", "x"}).ok()); }), 3.0);
}

TEST(RedisClient, GarbageIsAnErrorNotAnAnswer) {
  RudeServer server([](int socket, const std::atomic<bool>&) {
    const std::string says = "SSH-2.0-OpenSSH_9.2\r\n";
    static_cast<void>(::send(socket, says.data(), says.size(), MSG_NOSIGNAL));
  });
  const Status status = client_of(server.url())->check();
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().what.en, HasSubstr("not one of a Redis"));
}

TEST(RedisClient, EveryCommandIsToldItsEnd) {
  PREMISE_NEEDS_REDIS();
  TestRedis server;
  std::atomic<int> told = 0;
  {
    const auto client = client_of(server.url());
    for (int i = 0; i < 1000; ++i) {
      client->send({"INCR", "n"}, [&](const Result<RedisReply>&) { ++told; });
      if (i == 500) server.stop();
    }
  }
  EXPECT_EQ(told, 1000);
}

TEST(RedisClient, WhatIsQueuedAtTheEndIsStillSent) {
  PREMISE_NEEDS_REDIS();
  TestRedis server;
  {
    const auto client = client_of(server.url(), {.command_timeout = std::chrono::seconds(10)});
    ASSERT_TRUE(client->check().ok());
    for (int i = 0; i < 1000; ++i) client->send({"INCR", "n"});
  }
  EXPECT_EQ(client_of(server.url())->ask({"GET", "n"})->text, "1000");
}

TEST(RedisClient, WhatWaitsIsBounded) {
  PREMISE_NEEDS_REDIS();
  TestRedis server;
  const auto client = client_of(
      server.url(), {.command_timeout = std::chrono::seconds(10), .waiting_bytes_max = 100'000});
  ASSERT_TRUE(client->check().ok());
  server.freeze();
  const std::string value(10'000, 'v');
  std::atomic<int> refused = 0;
  for (int i = 0; i < 100; ++i)
    client->send({"SET", "k", value}, [&](const Result<RedisReply>& reply) {
      if (!reply.ok() && reply.error().what.en.find("too many") != std::string::npos) ++refused;
    });
  EXPECT_GE(refused, 90);
  server.thaw();
  EXPECT_TRUE(eventually([&] { return client->ask({"PING"}).ok(); }));
}

TEST(Outage, IsToldAtItsBeginningAndEndAndSeldom) {
  std::vector<std::string> told;
  Outage::Clock::time_point now{};
  Outage outage([&](bool works, const Text& why) { told.push_back(works ? "works" : why.en); },
                std::chrono::minutes(1), [&] { return now; });
  const Error gone = error(ErrorCode::network, {"gone", "断开"});
  outage.worked();
  EXPECT_TRUE(told.empty());
  outage.failed(gone);
  outage.failed(gone);
  outage.worked();
  outage.failed(gone);
  outage.worked();
  EXPECT_THAT(told, ::testing::ElementsAre("gone", "works"));
  now += std::chrono::seconds(61);
  outage.failed(gone);
  EXPECT_EQ(told.size(), 3u);
  EXPECT_TRUE(outage.failing());
  EXPECT_EQ(outage.failures(), 4u);
}

}  // namespace
}  // namespace premise
