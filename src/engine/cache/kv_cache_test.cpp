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

std::vector<std::int32_t> words(std::size_t count, std::int32_t seed = 0) {
  std::vector<std::int32_t> text;
  for (std::size_t i = 0; i < count; ++i) text.push_back(static_cast<std::int32_t>(i) * 7 + seed);
  return text;
}

constexpr PrefixScope ours{.salt = 5};

// Computes a text in a sequence of its own, which ends at once.
void compute(KvCache& cache, std::span<const std::int32_t> text, PrefixScope scope = ours) {
  const auto slot = cache.open(scope);
  static_cast<void>(cache.adopt(slot, text));
  ASSERT_TRUE(cache.grow(slot, text.size()));
  cache.commit(slot, text.size(), text);
  cache.release(slot);
  ASSERT_TRUE(cache.consistent());
}

std::size_t found(KvCache& cache, std::span<const std::int32_t> text, PrefixScope scope = ours) {
  const auto slot = cache.open(scope);
  const std::size_t length = cache.adopt(slot, text);
  EXPECT_TRUE(cache.consistent());
  cache.release(slot);
  return length;
}

TEST(PrefixCache, a_beginning_is_found_again_in_full_blocks) {
  KvCache cache({{0, 16}}, block_tokens);
  const auto text = words(10);
  compute(cache, text);
  EXPECT_EQ(cache.blocks_kept(0), 2u);
  EXPECT_EQ(cache.blocks_free(0), 16u) << "kept blocks are there for the taking";
  EXPECT_EQ(found(cache, text), 8u);
  EXPECT_EQ(found(cache, words(30)), 8u);
  EXPECT_EQ(found(cache, words(6)), 4u);
  auto other = text;
  other[5] = 999;
  EXPECT_EQ(found(cache, other), 4u);
  other[0] = 999;
  EXPECT_EQ(found(cache, other), 0u);
}

TEST(PrefixCache, one_token_is_always_left_to_compute) {
  KvCache cache({{0, 16}}, block_tokens);
  compute(cache, words(8));
  EXPECT_EQ(found(cache, words(8)), 4u);
  EXPECT_EQ(found(cache, words(9)), 8u);
}

TEST(PrefixCache, equal_tokens_behind_different_beginnings_are_different) {
  KvCache cache({{0, 16}}, block_tokens);
  const std::vector<std::int32_t> text = {1, 1, 1, 1, 2, 2, 2, 2, 3};
  compute(cache, text);
  EXPECT_EQ(found(cache, std::vector<std::int32_t>{2, 2, 2, 2, 3}), 0u);
  EXPECT_EQ(found(cache, std::vector<std::int32_t>{2, 2, 2, 2, 2, 2, 2, 2, 3}), 0u);
}

TEST(PrefixCache, scopes_and_adapters_do_not_share_and_salt_0_not_even_with_itself) {
  KvCache cache({{0, 16}}, block_tokens);
  compute(cache, words(10));
  EXPECT_EQ(found(cache, words(10), {.salt = 6}), 0u);
  EXPECT_EQ(found(cache, words(10), {.salt = 5, .adapter = 1}), 0u);
  compute(cache, words(10, 1), {});
  EXPECT_EQ(found(cache, words(10, 1), {}), 0u);
  EXPECT_EQ(cache.blocks_kept(0), 2u);
}

TEST(PrefixCache, keeping_costs_nobody_a_block_and_the_longest_unheld_goes_first) {
  KvCache cache({{0, 6}}, block_tokens);
  compute(cache, words(9, 100));
  compute(cache, words(9, 200));
  EXPECT_EQ(found(cache, words(9, 100)), 8u);  // and so it was held after the other
  const auto big = cache.open();
  ASSERT_TRUE(cache.grow(big, 16));
  EXPECT_EQ(found(cache, words(9, 200)), 0u);
  EXPECT_EQ(found(cache, words(9, 100)), 8u);
  ASSERT_TRUE(cache.grow(big, 20));
  EXPECT_EQ(found(cache, words(9, 100)), 4u) << "a text is forgotten from its end";
  ASSERT_TRUE(cache.grow(big, 24));
  EXPECT_FALSE(cache.grow(big, 25));
  cache.release(big);
  EXPECT_TRUE(cache.consistent());
}

TEST(PrefixCache, a_held_block_is_never_forgotten) {
  KvCache cache({{0, 4}}, block_tokens);
  compute(cache, words(9));
  const auto reader = cache.open(ours);
  ASSERT_EQ(cache.adopt(reader, words(9)), 8u);
  const auto big = cache.open();
  EXPECT_FALSE(cache.grow(big, 12));
  EXPECT_TRUE(cache.grow(big, 8));
  EXPECT_EQ(cache.blocks_held(reader, 0), 2u);
  EXPECT_TRUE(cache.consistent());
}

TEST(PrefixCache, two_that_compute_the_same_at_once_end_up_sharing) {
  KvCache cache({{0, 16}}, block_tokens);
  const auto text = words(12);
  const auto a = cache.open(ours), b = cache.open(ours);
  for (const auto slot : {a, b}) ASSERT_TRUE(cache.grow(slot, 12));
  EXPECT_EQ(cache.blocks_free(0), 10u);
  for (const auto slot : {a, b}) cache.commit(slot, 12, text);
  EXPECT_EQ(cache.blocks_free(0), 13u);
  EXPECT_TRUE(std::ranges::equal(cache.table(a, 0), cache.table(b, 0)));
  EXPECT_TRUE(cache.consistent());
}

TEST(PrefixCache, a_hit_holds_in_every_group) {
  // A window of 6 over blocks of 4: behind 12 tokens it sees positions 7 to 12, hence blocks 1, 2.
  KvCache cache({{0, 40}, {6, 5}}, block_tokens);
  compute(cache, words(13));
  const auto reader = cache.open(ours);
  EXPECT_EQ(cache.adopt(reader, words(20)), 12u);
  EXPECT_EQ(held(cache, reader, 0), 3u);
  EXPECT_EQ(held(cache, reader, 1), 2u);
  EXPECT_EQ(cache.table(reader, 1)[0], KvCache::no_block);
  cache.release(reader);
  const auto other = cache.open();  // takes the window group's free blocks and its oldest kept one
  ASSERT_TRUE(cache.grow(other, 16));
  EXPECT_EQ(cache.blocks_kept(1), 1u);
  EXPECT_EQ(found(cache, words(20)), 0u) << "half a window is no hit, whatever the others hold";
  cache.release(other);
}

TEST(PrefixCache, a_long_text_with_a_window_can_be_continued) {
  for (const bool full_beside : {true, false}) {
    std::vector<CacheGroupSpec> groups = {{8, 12}};
    if (full_beside) groups.push_back({0, 200});
    KvCache cache(groups, block_tokens);
    const auto text = words(400);
    const auto slot = cache.open(ours);
    for (std::size_t length = 1; length <= 400; ++length) {
      ASSERT_TRUE(cache.grow(slot, length));
      cache.commit(slot, length, text);
    }
    cache.release(slot);
    EXPECT_EQ(found(cache, words(420)), 400u);
    EXPECT_TRUE(cache.consistent());
  }
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
