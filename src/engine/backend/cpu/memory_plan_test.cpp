#include "engine/backend/cpu/memory_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace premise {
namespace {

TEST(MemoryPlan, values_that_follow_one_another_share_their_bytes) {
  const std::vector<Lifetime> lives = {{0, 1, 100}, {1, 2, 100}, {2, 3, 100}, {3, 4, 100}};
  EXPECT_EQ(plan_memory(lives, 1).bytes, 200u);
}

TEST(MemoryPlan, a_value_without_bytes_takes_no_place) {
  const std::vector<Lifetime> lives = {{0, 9, 0}, {0, 9, 64}};
  EXPECT_EQ(plan_memory(lives, 64).bytes, 64u);
}

TEST(MemoryPlan, no_two_live_values_ever_overlap) {
  std::mt19937 random(5);
  for (int round = 0; round < 200; ++round) {
    std::vector<Lifetime> lives(40);
    for (Lifetime& life : lives) {
      life.first = random() % 50;
      life.last = life.first + random() % 8;
      life.bytes = random() % 1000;
    }
    const MemoryPlan plan = plan_memory(lives, 64);
    std::size_t peak = 0;
    for (std::size_t t = 0; t < 60; ++t) {
      std::size_t live_bytes = 0;
      for (const Lifetime& life : lives)
        if (life.first <= t && t <= life.last) live_bytes += (life.bytes + 63) / 64 * 64;
      peak = std::max(peak, live_bytes);
    }
    EXPECT_GE(plan.bytes, peak);
    EXPECT_LE(plan.bytes, 2 * peak);
    for (std::size_t i = 0; i < lives.size(); ++i) {
      ASSERT_EQ(plan.offsets[i] % 64, 0u);
      ASSERT_LE(plan.offsets[i] + lives[i].bytes, plan.bytes);
      for (std::size_t j = 0; j < i; ++j) {
        const bool together = lives[i].first <= lives[j].last && lives[j].first <= lives[i].last;
        if (!together || lives[i].bytes == 0 || lives[j].bytes == 0) continue;
        const bool apart = plan.offsets[i] + lives[i].bytes <= plan.offsets[j] ||
                           plan.offsets[j] + lives[j].bytes <= plan.offsets[i];
        ASSERT_TRUE(apart);
      }
    }
  }
}

}  // namespace
}  // namespace premise
