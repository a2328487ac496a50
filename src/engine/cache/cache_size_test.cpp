// How a bound of memory becomes blocks.
#include "engine/cache/cache_size.h"

#include <gtest/gtest.h>

namespace premise {
namespace {

using Blocks = std::vector<std::size_t>;

std::uint64_t total_bytes(const std::vector<CacheGroupNeed>& groups, const Blocks& blocks) {
  std::uint64_t bytes = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) bytes += blocks[g] * groups[g].block_bytes;
  return bytes;
}

TEST(CacheSize, TheLeastIsOneRequestInEveryGroup) {
  const std::vector<CacheGroupNeed> groups{{256, 1000}, {33, 5000}};
  EXPECT_EQ(least_cache_bytes(groups), 256 * 1000u + 33 * 5000u);
  EXPECT_EQ(cache_blocks_within(groups, 8, least_cache_bytes(groups)), (Blocks{256, 33}));
}

TEST(CacheSize, WithOneGroupItIsADivision) {
  const std::vector<CacheGroupNeed> groups{{8, 4096}};
  EXPECT_EQ(cache_blocks_within(groups, 4, 20 * 4096 + 4095), Blocks{20});
}

TEST(CacheSize, NobodyGetsMoreThanAllSequencesCouldUse) {
  const std::vector<CacheGroupNeed> groups{{256, 1000}, {33, 5000}};
  EXPECT_EQ(cache_blocks_within(groups, 3, std::uint64_t{1} << 60), (Blocks{768, 99}));
}

TEST(CacheSize, WindowsAreSatisfiedBeforeFullAttentionGetsTheRest) {
  const std::vector<CacheGroupNeed> groups{{256, 1000}, {33, 5000}};
  const std::uint64_t windows = 4 * 33 * 5000;
  EXPECT_EQ(cache_blocks_within(groups, 4, 256 * 1000 + windows), (Blocks{256, 132}));
  EXPECT_EQ(cache_blocks_within(groups, 4, 300 * 1000 + windows), (Blocks{300, 132}));
}

TEST(CacheSize, WhatIsGivenNeverExceedsTheBoundNorLeavesABlockOfAllGroupsUnused) {
  const std::vector<CacheGroupNeed> groups{{64, 700}, {20, 1300}, {9, 50}};
  const std::uint64_t most = total_bytes(groups, {64 * 5, 20 * 5, 9 * 5});
  for (std::uint64_t bytes = least_cache_bytes(groups); bytes <= most + 3000; bytes += 777) {
    const Blocks blocks = cache_blocks_within(groups, 5, bytes);
    const std::uint64_t given = total_bytes(groups, blocks);
    EXPECT_LE(given, bytes);
    EXPECT_TRUE(given == most || bytes - given < 700 + 1300 + 50) << bytes << " " << given;
    for (std::size_t g = 0; g < groups.size(); ++g) EXPECT_GE(blocks[g], groups[g].blocks);
  }
}

TEST(CacheSize, AbsurdNumbersSaturateInsteadOfWrappingAround) {
  const std::vector<CacheGroupNeed> groups{{SIZE_MAX / 2, 1 << 20}, {3, 8}};
  EXPECT_EQ(least_cache_bytes(groups), UINT64_MAX);
  const std::vector<CacheGroupNeed> many{{1 << 20, 64}};
  EXPECT_EQ(cache_blocks_within(many, SIZE_MAX / 2, std::uint64_t{1} << 30), Blocks{1 << 24});
}

}  // namespace
}  // namespace premise
