#include "serve/shared_limits/redis_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "redis/redis_testing.h"
#include "serve/shared_limits/window_script.h"

namespace premise {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::int64_t wall_ms() {
  return std::chrono::duration_cast<milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

KeyLimits limits_of(std::int64_t requests_per_minute, std::int64_t tokens_per_minute = 0,
                    std::int64_t tokens_per_day = 0) {
  KeyLimits limits;
  limits.requests_per_minute = requests_per_minute;
  limits.tokens_per_minute = tokens_per_minute;
  limits.tokens_per_day = tokens_per_day;
  return limits;
}

/// A server's own: clock, days, connection.
struct LimitedServer {
  /// Patient by default: a busy machine is no outage.
  explicit LimitedServer(const TestRedis& redis, std::string prefix = "premise:limit:",
                         milliseconds patience = seconds(5)) {
    auto opened =
        RedisClient::open(redis.url(), {.connect_timeout = patience, .command_timeout = patience});
    EXPECT_TRUE(opened.ok() && (*opened)->check().ok());
    client = std::move(*opened);
    limits = std::make_unique<RedisLimits>(
        client, local,
        RedisLimits::Options{
            .identity = [](std::int64_t id) { return "key " + std::to_string(id); },
            .prefix = std::move(prefix),
            .tell =
                [this](bool works, const Text& why) {
                  EXPECT_EQ(works, why.empty());
                  ++(works ? shared_again : alone);
                }});
  }
  int admitted(int tries, const KeyLimits& allowed, std::int64_t key = 1) {
    int count = 0;
    for (int i = 0; i < tries; ++i) count += limits->admit_request(key, allowed).ok() ? 1 : 0;
    return count;
  }

  std::atomic<int> alone = 0, shared_again = 0;
  MemoryLimits local{wall_ms};
  std::shared_ptr<RedisClient> client;
  std::unique_ptr<RedisLimits> limits;
};

// The script and MemoryLimits over the same history of the same clock, which only here is given.
TEST(WindowScript, CountsAsMemoryDoes) {
  PREMISE_NEEDS_REDIS();
  TestRedis server;
  const auto client = RedisClient::open(server.url(), {.command_timeout = seconds(10)});
  ASSERT_TRUE(client.ok());
  const RedisScript script(window_script("local ms = tonumber(ARGV[4])\n"));
  std::int64_t ms = 1'800'000'000'000;
  MemoryLimits memory([&] { return ms; });
  const KeyLimits limits = limits_of(0, 1000);
  std::vector<std::pair<TokenReservation, std::int64_t>> open;  // and its minute in the Redis
  std::uint64_t random = 7;
  int taken = 0, refused = 0;
  for (int i = 0; i < 3000; ++i) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    ms += static_cast<std::int64_t>((random >> 33) % (i % 100 == 0 ? 200'000 : 3'000));
    const std::string now = std::to_string(ms);
    if (open.empty() || (random >> 50) % 3 != 0) {
      const auto tokens = static_cast<std::int64_t>((random >> 20) % 400);
      TokenReservation reservation;
      const LimitAnswer expected = memory.reserve(1, limits, tokens, reservation);
      const auto reply = (*client)->run(script, "w", {"take", "1000", std::to_string(tokens), now});
      ASSERT_TRUE(reply.ok()) << reply.error().what.en;
      ASSERT_EQ(reply->list.at(0).integer, expected.retry_after_seconds) << i;
      if (expected.ok()) open.emplace_back(reservation, reply->list.at(1).integer);
      ++(expected.ok() ? taken : refused);
    } else {
      const auto [reservation, minute] = open.back();
      open.pop_back();
      const auto used = static_cast<std::int64_t>(random >> 20) % (reservation.tokens + 1);
      memory.settle(reservation, used);
      EXPECT_EQ(minute, reservation.minute);
      ASSERT_TRUE((*client)
                      ->run(script, "w",
                            {"change", std::to_string(used - reservation.tokens),
                             std::to_string(minute), now})
                      .ok());
    }
  }
  EXPECT_GT(taken, 300);
  EXPECT_GT(refused, 300);
}

TEST(RedisLimits, TwoServersShareOneLimit) {
  PREMISE_NEEDS_REDIS();
  TestRedis redis;
  LimitedServer one(redis), other(redis);
  EXPECT_EQ(one.admitted(6, limits_of(10)) + other.admitted(20, limits_of(10)), 10);
  const LimitAnswer refused = one.limits->admit_request(1, limits_of(10));
  EXPECT_EQ(refused.refusal, LimitRefusal::requests_per_minute);
  EXPECT_GE(refused.retry_after_seconds, 1);
  EXPECT_LE(refused.retry_after_seconds, 121);
  EXPECT_EQ(other.admitted(3, limits_of(10), 2), 3) << "another key";
  EXPECT_TRUE(one.limits->shared());
  EXPECT_EQ(one.limits->counted_alone(), 0u);
  LimitedServer elsewhere(redis, "staging:");
  EXPECT_EQ(elsewhere.admitted(1, limits_of(10)), 1) << "another prefix";
}

TEST(RedisLimits, ManyThreadsOfTwoServersTakeNoMoreThanThereIs) {
  PREMISE_NEEDS_REDIS();
  TestRedis redis;
  LimitedServer one(redis), other(redis);
  std::atomic<int> admitted = 0;
  std::vector<std::thread> threads;
  for (LimitedServer* server : {&one, &other, &one, &other})
    threads.emplace_back([&admitted, server] { admitted += server->admitted(50, limits_of(100)); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(admitted, 100);
}

TEST(RedisLimits, WhatWasNotUsedIsThereForTheOtherServer) {
  PREMISE_NEEDS_REDIS();
  TestRedis redis;
  LimitedServer one(redis), other(redis);
  const KeyLimits limits = limits_of(0, 1000);
  TokenReservation first, second;
  ASSERT_TRUE(one.limits->reserve(1, limits, 900, first).ok());
  EXPECT_EQ(other.limits->reserve(1, limits, 200, second).refusal, LimitRefusal::tokens_per_minute);
  one.limits->settle(first, 100);
  ASSERT_TRUE(one.client->check().ok()) << "commands are in order: settled by now";
  EXPECT_TRUE(other.limits->reserve(1, limits, 890, second).ok());
  EXPECT_EQ(one.limits->reserve(1, limits, 1001, first).refusal, LimitRefusal::too_large);
  EXPECT_EQ(one.limits->reserve(1, limits, -1, first).refusal, LimitRefusal::too_large);
}

TEST(RedisLimits, WhatTheDayRefusesIsNotCountedInTheMinute) {
  PREMISE_NEEDS_REDIS();
  TestRedis redis;
  LimitedServer server(redis);
  const KeyLimits limits = limits_of(0, 1000, 300);
  TokenReservation reservation;
  ASSERT_TRUE(server.limits->reserve(1, limits, 200, reservation).ok());
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(server.limits->reserve(1, limits, 200, reservation).refusal,
              LimitRefusal::tokens_per_day);
  ASSERT_TRUE(server.client->check().ok());
  EXPECT_TRUE(server.limits->reserve(1, limits_of(0, 1000), 750, reservation).ok())
      << "of the minute only 200 are taken";
}

TEST(RedisLimits, CountersExpire) {
  PREMISE_NEEDS_REDIS();
  TestRedis redis;
  LimitedServer server(redis);
  ASSERT_EQ(server.admitted(1, limits_of(10)), 1);
  const auto left = server.client->ask({"PTTL", "premise:limit:requests:key 1"});
  EXPECT_GT(left->integer, 120'000) << "both minutes are over by then";
  EXPECT_LE(left->integer, 180'000);
}

TEST(RedisLimits, AKeyWithoutLimitsNeverAsks) {
  PREMISE_NEEDS_REDIS();
  TestRedis redis;
  LimitedServer server(redis);
  redis.stop();
  TokenReservation reservation;
  EXPECT_EQ(server.admitted(100, limits_of(0)), 100);
  EXPECT_TRUE(server.limits->reserve(1, limits_of(0), 100, reservation).ok());
  server.limits->settle(reservation, 50);
  EXPECT_EQ(server.limits->counted_alone(), 0u);
  EXPECT_EQ(server.alone, 0);
}

TEST(RedisLimits, WithoutRedisEveryServerHoldsTheLimitAlone) {
  PREMISE_NEEDS_REDIS();
  TestRedis redis;
  LimitedServer one(redis), other(redis);
  ASSERT_EQ(one.admitted(4, limits_of(10)), 4);
  redis.stop();
  EXPECT_EQ(one.admitted(20, limits_of(10)), 6) << "what it granted before is not granted again";
  EXPECT_EQ(other.admitted(20, limits_of(10)), 10) << "at most the limit for each server";
  EXPECT_FALSE(one.limits->shared());
  EXPECT_EQ(one.limits->counted_alone(), 20u);
  EXPECT_EQ(one.alone, 1) << "told once";

  redis.start();  // with an empty memory
  EXPECT_TRUE(eventually([&] {
    one.limits->admit_request(2, limits_of(1'000'000));
    return one.limits->shared();
  }));
  EXPECT_EQ(one.shared_again, 1);
  EXPECT_TRUE(eventually([&] {
    other.limits->admit_request(2, limits_of(1'000'000));
    return other.limits->shared();
  }));
  EXPECT_EQ(one.admitted(8, limits_of(10), 3) + other.admitted(8, limits_of(10), 3), 10)
      << "shared as before";
}

TEST(RedisLimits, AReservationOutlivesTheRedisThatCountedIt) {
  PREMISE_NEEDS_REDIS();
  TestRedis redis;
  LimitedServer server(redis);
  const KeyLimits limits = limits_of(0, 1000);
  TokenReservation lost, fresh;
  ASSERT_TRUE(server.limits->reserve(1, limits, 900, lost).ok());
  redis.stop();
  redis.start();
  ASSERT_TRUE(eventually([&] { return server.client->check().ok(); }));
  ASSERT_TRUE(server.limits->reserve(1, limits, 100, fresh).ok());
  server.limits->settle(lost, 0);
  ASSERT_TRUE(server.client->check().ok());
  TokenReservation most;
  ASSERT_TRUE(server.limits->reserve(1, limits, 1000, most).ok() ||
              server.limits->reserve(1, limits, 900, most).ok());
  EXPECT_FALSE(server.limits->reserve(1, limits, 500, fresh).ok())
      << "giving back what a new Redis never counted makes no room";
}

TEST(RedisLimits, AHangingRedisCostsOneWait) {
  PREMISE_NEEDS_REDIS();
  TestRedis redis;
  LimitedServer server(redis, "premise:limit:", milliseconds(400));
  ASSERT_EQ(server.admitted(1, limits_of(10)), 1);
  redis.freeze();
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(server.admitted(50, limits_of(10)), 9);
  TokenReservation reservation;
  EXPECT_TRUE(server.limits->reserve(1, limits_of(0, 100), 50, reservation).ok());
  server.limits->settle(reservation, 10);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(5));
  redis.thaw();
  EXPECT_TRUE(eventually([&] {
    server.limits->admit_request(2, limits_of(1'000'000));
    return server.limits->shared();
  }));
}

TEST(RedisLimits, ForeignValuesAreAnOutageNotAGrant) {
  PREMISE_NEEDS_REDIS();
  TestRedis redis;
  LimitedServer server(redis);
  ASSERT_TRUE(server.client->ask({"SET", "premise:limit:requests:key 1", "not a hash"}).ok());
  EXPECT_EQ(server.admitted(20, limits_of(10)), 10) << "counted here alone";
  EXPECT_EQ(server.limits->counted_alone(), 20u);
}

}  // namespace
}  // namespace premise
