#include "serve/gate/limits.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace premise {
namespace {

/// Starts at the beginning of a minute, five minutes before midnight UTC.
class Limits : public testing::Test {
 protected:
  static constexpr std::int64_t start = std::int64_t{20'000} * 86'400'000 - 300'000;
  LimitAnswer ask(std::int64_t per_minute) { return limits.admit_request(1, {per_minute, 0, 0}); }
  LimitAnswer take(KeyLimits of, std::int64_t tokens, std::int64_t key = 1) {
    return limits.reserve(key, of, tokens, held);
  }
  std::int64_t ms = start;
  MemoryLimits limits{[this] { return ms; }};
  TokenReservation held;
};

TEST_F(Limits, ZeroMeansNone) {
  for (int round = 0; round < 1000; ++round) ASSERT_TRUE(ask(0).ok());
  EXPECT_TRUE(take({}, 1 << 30).ok());
}

TEST_F(Limits, RequestOverTheLimitIsRefusedAndFitsAfterRetryAfter) {
  for (int round = 0; round < 3; ++round) ASSERT_TRUE(ask(3).ok());
  const LimitAnswer refused = ask(3);
  EXPECT_EQ(refused.refusal, LimitRefusal::requests_per_minute);
  EXPECT_EQ(refused.retry_after_seconds, 80);  // when a third of the three has faded
  ms += 79'000;
  EXPECT_FALSE(ask(3).ok());
  ms += 1'000;
  EXPECT_TRUE(ask(3).ok());
  EXPECT_FALSE(ask(3).ok());
}

TEST_F(Limits, NoDoubleBurstPassesAtTheBorderOfTwoMinutes) {
  ms = start + 59'999;
  for (int round = 0; round < 60; ++round) ASSERT_TRUE(ask(60).ok());
  ms += 2;
  EXPECT_FALSE(ask(60).ok());
}

TEST_F(Limits, TokensAreReservedAndWhatWasNotUsedComesBack) {
  const KeyLimits of{0, 100, 0};
  ASSERT_TRUE(take(of, 80).ok());
  const TokenReservation first = held;
  EXPECT_EQ(take(of, 30).refusal, LimitRefusal::tokens_per_minute);
  limits.settle(first, 10);
  EXPECT_TRUE(take(of, 90).ok());
  EXPECT_FALSE(take(of, 1).ok());
}

TEST_F(Limits, SettlingInTheNextMinuteReachesTheMinuteOfTheReservation) {
  const KeyLimits of{0, 100, 0};
  ASSERT_TRUE(take(of, 100).ok());
  ms += 60'000;
  EXPECT_FALSE(take(of, 50).ok());
  limits.settle(TokenReservation(held), 0);
  EXPECT_TRUE(take(of, 100).ok());
}

TEST_F(Limits, WhatCanNeverFitIsToldSo) {
  const LimitAnswer answer = take({0, 100, 0}, 101);
  EXPECT_EQ(answer.refusal, LimitRefusal::too_large);
  EXPECT_EQ(answer.retry_after_seconds, 0);
  EXPECT_FALSE(take({}, -1).ok());
  EXPECT_FALSE(take({}, INT64_MAX).ok());
}

TEST_F(Limits, DayEndsAtMidnightUtc) {
  const KeyLimits of{0, 0, 100};
  limits.add_day_use({1, start / 86'400'000, 0, 60});  // from before a restart
  EXPECT_TRUE(take(of, 40).ok());
  const LimitAnswer refused = take(of, 1);
  EXPECT_EQ(refused.refusal, LimitRefusal::tokens_per_day);
  EXPECT_EQ(refused.retry_after_seconds, 300);
  ms += 300'000;
  EXPECT_TRUE(take(of, 100).ok());
}

TEST_F(Limits, RequestsOfADayGoOnAfterARestartAndEndAtMidnightUtc) {
  const KeyLimits of{0, 0, 0, 3};
  limits.add_day_use({1, start / 86'400'000, 2, 0});      // from before the restart
  limits.add_day_use({1, start / 86'400'000 - 1, 9, 0});  // yesterday's do not count
  EXPECT_TRUE(limits.admit_request(1, of).ok());
  const LimitAnswer refused = limits.admit_request(1, of);
  EXPECT_EQ(refused.refusal, LimitRefusal::requests_per_day);
  EXPECT_EQ(limit_refusal_name(refused.refusal), "requests_per_day");
  EXPECT_EQ(refused.retry_after_seconds, 300);
  EXPECT_TRUE(limits.admit_request(2, of).ok());
  ms += 300'000;
  EXPECT_TRUE(limits.admit_request(1, of).ok());
}

TEST_F(Limits, RequestRefusedForItsMinuteIsNotTakenFromTheDay) {
  const KeyLimits of{1, 0, 0, 2};
  EXPECT_TRUE(limits.admit_request(1, of).ok());
  EXPECT_EQ(limits.admit_request(1, of).refusal, LimitRefusal::requests_per_minute);
  ms += 120'000;
  EXPECT_TRUE(limits.admit_request(1, of).ok());
}

TEST_F(Limits, KeysDoNotShareThem) {
  const KeyLimits of{0, 10, 10};
  ASSERT_TRUE(take(of, 10, 1).ok());
  EXPECT_TRUE(take(of, 10, 2).ok());
}

TEST_F(Limits, ClockSetBackGivesNothingAway) {
  ASSERT_TRUE(ask(1).ok());
  ms -= 3'600'000;
  EXPECT_FALSE(ask(1).ok());
}

TEST_F(Limits, ThreadsTogetherGetExactlyTheLimit) {
  std::atomic<int> admitted{0};
  std::vector<std::thread> threads;
  for (int index = 0; index < 8; ++index) {
    threads.emplace_back([&] {
      for (int round = 0; round < 100; ++round) admitted += ask(250).ok() ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(admitted, 250);
}

}  // namespace
}  // namespace premise
