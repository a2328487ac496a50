#include "engine/cache/kv_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace premise {
namespace {

constexpr std::int32_t block_tokens = 4;

std::size_t held(const KvCache& cache, SequenceSlot slot, std::size_t group) {
  const auto table = cache.table(slot, group);
  return table.size() - static_cast<std::size_t>(std::ranges::count(table, KvCache::no_block));
}

TEST(KvCache, a_sequence_holds_the_blocks_its_length_needs) {
  KvCache cache({{0, 8}}, block_tokens);
  const auto slot = cache.open();
  ASSERT_TRUE(cache.grow(slot, 1));
  EXPECT_EQ(cache.table(slot, 0).size(), 1u);
  ASSERT_TRUE(cache.grow(slot, 4));
  EXPECT_EQ(cache.table(slot, 0).size(), 1u);
  ASSERT_TRUE(cache.grow(slot, 5));
  EXPECT_EQ(cache.table(slot, 0).size(), 2u);
  EXPECT_EQ(cache.blocks_free(0), 6u);
}

TEST(KvCache, growth_happens_in_every_group_or_in_none) {
  KvCache cache({{0, 8}, {0, 2}}, block_tokens);
  const auto slot = cache.open();
  EXPECT_FALSE(cache.grow(slot, 9));
  EXPECT_EQ(cache.blocks_free(0), 8u);
  EXPECT_EQ(cache.blocks_free(1), 2u);
  EXPECT_TRUE(cache.grow(slot, 8));
}

TEST(KvCache, a_window_gives_back_what_no_later_token_sees) {
  KvCache cache({{0, 100}, {6, 100}}, block_tokens);
  const auto slot = cache.open();
  for (std::size_t length = 1; length <= 200; ++length) {
    ASSERT_TRUE(cache.grow(slot, length));
    cache.commit(slot, length);
    // The next query, at `length`, still finds every position it may see.
    const auto table = cache.table(slot, 1);
    const std::size_t first = length >= 6 ? length - 5 : 0;
    for (std::size_t p = first; p < length; ++p) ASSERT_NE(table[p / block_tokens], -1) << p;
    EXPECT_LE(held(cache, slot, 1), KvCache::blocks_needed(6, block_tokens, length, 1));
  }
  EXPECT_EQ(held(cache, slot, 0), 50u);
  EXPECT_LE(held(cache, slot, 1), 3u);
}

TEST(KvCache, long_steps_stay_within_the_blocks_foretold) {
  for (const std::size_t step : {1u, 3u, 4u, 7u, 16u}) {
    KvCache cache({{10, 1000}}, block_tokens);
    const auto slot = cache.open();
    for (std::size_t length = step; length <= 300; length += step) {
      ASSERT_TRUE(cache.grow(slot, length));
      EXPECT_LE(held(cache, slot, 0), KvCache::blocks_needed(10, block_tokens, length, step));
      cache.commit(slot, length);
    }
  }
}

TEST(KvCache, release_returns_every_block_once_and_slots_are_reused) {
  KvCache cache({{0, 16}, {5, 16}}, block_tokens);
  const auto first = cache.open();
  ASSERT_TRUE(cache.grow(first, 40));
  cache.commit(first, 40);
  cache.release(first);
  EXPECT_EQ(cache.blocks_free(0), 16u);
  EXPECT_EQ(cache.blocks_free(1), 16u);
  EXPECT_EQ(cache.open_sequences(), 0u);
  EXPECT_EQ(cache.open(), first);
}

TEST(KvCache, no_block_belongs_to_two_sequences_whatever_happens) {
  std::mt19937 random(1);
  KvCache cache({{0, 64}, {9, 40}}, block_tokens);
  struct Live {
    SequenceSlot slot;
    std::size_t length;
  };
  std::vector<Live> live;
  for (int round = 0; round < 5000; ++round) {
    if (live.size() < 6 && random() % 4 == 0) live.push_back({cache.open(), 0});
    if (live.empty()) continue;
    Live& one = live[random() % live.size()];
    const std::size_t length = one.length + random() % 12;
    if (cache.grow(one.slot, length)) {
      one.length = length;
      cache.commit(one.slot, length);
    } else {
      cache.release(one.slot);
      one = live.back();
      live.pop_back();
    }
    for (std::size_t g = 0; g < 2; ++g) {
      std::set<std::int32_t> seen;
      std::size_t used = 0;
      for (const Live& l : live)
        for (const auto block : cache.table(l.slot, g))
          if (block != KvCache::no_block) {
            ASSERT_TRUE(seen.insert(block).second);
            ++used;
          }
      ASSERT_EQ(used + cache.blocks_free(g), cache.blocks_total(g));
    }
  }
}

}  // namespace
}  // namespace premise
