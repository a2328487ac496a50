#include "numerics/device/thread_team.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <limits>
#include <memory>
#include <thread>
#include <vector>

namespace premise {
namespace {

using Clock = std::chrono::steady_clock;

TEST(Split, PiecesFollowEachOtherAndDifferByAtMostOneUnit) {
  for (std::size_t count : {0, 1, 7, 64, 65, 1000}) {
    for (int parts : {1, 2, 3, 8, 100}) {
      for (std::size_t unit : {1, 3, 16}) {
        std::size_t expected = 0;
        std::size_t largest = 0;
        std::size_t smallest = std::numeric_limits<std::size_t>::max();
        for (int index = 0; index < parts; ++index) {
          const Range piece = split(count, parts, index, unit);
          ASSERT_EQ(piece.first, expected);
          ASSERT_LE(piece.first, piece.last);
          EXPECT_TRUE(piece.last == count || piece.size() % unit == 0);
          const std::size_t units = (piece.size() + unit - 1) / unit;
          largest = std::max(largest, units);
          smallest = std::min(smallest, units);
          expected = piece.last;
        }
        EXPECT_EQ(expected, count);
        EXPECT_LE(largest - smallest, 1u);
      }
    }
  }
}

TEST(Split, TheLargestCountsDoNotOverflow) {
  constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
  EXPECT_EQ(split(most, 3, 2, 64).last, most);
  EXPECT_EQ(split(most, 3, 0, 1).first, 0u);
}

TEST(ThreadTeam, EveryThreadRunsOnceAndTheCallerIsThreadZero) {
  for (int threads : {1, 2, 3, 8}) {
    ThreadTeam team(threads);
    ASSERT_EQ(team.size(), threads);
    std::vector<int> calls(threads, 0);
    std::vector<std::thread::id> ids(threads);
    for (int round = 0; round < 50; ++round) {
      team.run([&](int index) {
        ++calls[index];
        ids[index] = std::this_thread::get_id();
      });
    }
    for (int index = 0; index < threads; ++index) EXPECT_EQ(calls[index], 50);
    EXPECT_EQ(ids[0], std::this_thread::get_id());
    for (int index = 1; index < threads; ++index) EXPECT_NE(ids[index], ids[0]);
  }
}

TEST(ThreadTeam, ABarrierShowsWhatEveryOtherThreadWroteBefore) {
  for (int threads : {1, 2, 5}) {
    ThreadTeam team(threads);
    std::vector<int> rounds(threads, 0);  // plain memory: only the barrier orders the accesses
    std::atomic<int> mistakes{0};
    team.run([&](int index) {
      for (int round = 1; round <= 300; ++round) {
        rounds[index] = round;
        team.barrier();
        for (int other : rounds) mistakes += other != round;
        team.barrier();
      }
    });
    EXPECT_EQ(mistakes.load(), 0);
  }
}

TEST(ThreadTeam, RegionsWithAndWithoutBarriersAlternate) {
  ThreadTeam team(3);
  std::vector<int> sums(3, 0);
  for (int round = 0; round < 400; ++round) {
    team.run([&](int index) {
      for (int i = 0; i < round % 4; ++i) team.barrier();
      sums[index] += round;
    });
    ASSERT_EQ(sums[0], sums[1]);
    ASSERT_EQ(sums[0], sums[2]);
  }
}

TEST(ThreadTeam, ASleepingTeamWakesUp) {
  ThreadTeam team(4);
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // long past any spinning
    std::atomic<int> ran{0};
    team.run([&](int index) {
      // One thread is late by far, so the others sleep inside the barrier too.
      if (index == round % 4) std::this_thread::sleep_for(std::chrono::milliseconds(2));
      team.barrier();
      ++ran;
    });
    EXPECT_EQ(ran.load(), 4);
  }
}

TEST(ThreadTeam, MoreThreadsThanProcessorsDoNotCollapse) {
  // Threads that spin for each other need a scheduler's time slice (milliseconds) at every
  // barrier for each thread; sleeping ones some microseconds. The bound is generous for a busy
  // machine and for sanitizers.
  ThreadTeam team(static_cast<int>(4 * std::max(2u, std::thread::hardware_concurrency())));
  const Clock::time_point start = Clock::now();
  team.run([&](int) {
    for (int round = 0; round < 200; ++round) team.barrier();
  });
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(10));
}

TEST(ThreadTeam, AnIdleTeamLeavesTheProcessorAlone) {
  ThreadTeam team(2);
  team.run([](int) {});
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const std::clock_t before = std::clock();  // processor time of all threads
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const double seconds = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  EXPECT_LT(seconds, 0.05);
}

TEST(ThreadTeam, PinnedThreadsComputeTheSame) {
  ThreadTeam team(4, Pinning::one_core_each);
  std::atomic<int> ran{0};
  team.run([&](int) { ++ran; });
  EXPECT_EQ(ran.load(), 4);
}

TEST(ThreadTeam, CreateRefusesSizesThatNoMachineHas) {
  EXPECT_TRUE(ThreadTeam::create(2).ok());
  for (int threads : {0, -1, 1025, std::numeric_limits<int>::max()}) {
    const auto team = ThreadTeam::create(threads);
    ASSERT_FALSE(team.ok());
    EXPECT_EQ(team.error().code, ErrorCode::usage);
  }
}

TEST(ThreadTeam, AnExceptionInARegionEndsTheProgramInsteadOfHanging) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        ThreadTeam team(1);
        team.run([](int) { throw 1; });
      },
      "");
}

TEST(WorkCounter, EveryTaskIsTakenOnce) {
  ThreadTeam team(4);
  WorkCounter counter;
  for (std::size_t count : {0, 1, 10, 1000}) {
    for (std::size_t chunk : {1, 3, 64}) {
      std::vector<int> taken(count, 0);
      counter.reset(count, chunk);
      team.run([&](int) {
        for (Range tasks = counter.next(); !tasks.empty(); tasks = counter.next()) {
          for (std::size_t task = tasks.first; task < tasks.last; ++task) ++taken[task];
        }
      });
      for (int times : taken) ASSERT_EQ(times, 1);
      EXPECT_TRUE(counter.next().empty());
    }
  }
}

TEST(WorkShares, EveryTaskIsTakenOnce) {
  ThreadTeam team(4);
  WorkShares shares(team.size());
  for (std::size_t count : {0, 1, 10, 1000}) {
    for (std::size_t unit : {1, 4, 64}) {
      std::vector<int> taken(count, 0);
      shares.reset(count, unit);
      team.run([&](int thread) {
        for (Range tasks = shares.next(thread); !tasks.empty(); tasks = shares.next(thread)) {
          for (std::size_t task = tasks.first; task < tasks.last; ++task) ++taken[task];
        }
      });
      for (int times : taken) ASSERT_EQ(times, 1);
      EXPECT_TRUE(shares.next(0).empty());
    }
  }
}

TEST(WorkShares, AThreadGoesThroughItsOwnPieceInOrderAndThenHelps) {
  WorkShares shares(2);
  shares.reset(140, 4);
  std::vector<Range> taken;
  for (Range tasks = shares.next(1); !tasks.empty(); tasks = shares.next(1)) taken.push_back(tasks);
  ASSERT_EQ(taken.size(), 18u);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(taken[i], (Range{72 + 8 * i, 80 + 8 * i}));
  EXPECT_EQ(taken[8], (Range{136, 140})) << "chunks are whole units but for the last";
  for (std::size_t i = 9; i < 18; ++i) EXPECT_EQ(taken[i], (Range{8 * (i - 9), 8 * (i - 8)}));
}

}  // namespace
}  // namespace premise
