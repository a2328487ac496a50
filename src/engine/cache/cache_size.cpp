#include "engine/cache/cache_size.h"

#include <algorithm>
#include <cassert>

namespace premise {
namespace {

std::uint64_t saturating_product(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

std::uint64_t saturating_sum(std::uint64_t a, std::uint64_t b) {
  return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

std::size_t most_blocks(const CacheGroupNeed& group, std::size_t sequences) {
  return static_cast<std::size_t>(saturating_product(group.blocks, sequences));
}

/// Where every group may reach `level` blocks.
std::size_t blocks_at(const CacheGroupNeed& group, std::size_t sequences, std::size_t level) {
  return std::clamp(level, group.blocks, most_blocks(group, sequences));
}

std::uint64_t bytes_at(std::span<const CacheGroupNeed> groups, std::size_t sequences,
                       std::size_t level) {
  std::uint64_t bytes = 0;
  for (const CacheGroupNeed& group : groups)
    bytes = saturating_sum(
        bytes, saturating_product(blocks_at(group, sequences, level), group.block_bytes));
  return bytes;
}

}  // namespace

std::uint64_t least_cache_bytes(std::span<const CacheGroupNeed> groups) {
  return bytes_at(groups, 1, 0);
}

std::vector<std::size_t> cache_blocks_within(std::span<const CacheGroupNeed> groups,
                                             std::size_t sequences, std::uint64_t bytes) {
  assert(sequences > 0 && least_cache_bytes(groups) <= bytes);
  std::size_t low = 0, high = 0;  // the level lies in [low, high]
  for (const CacheGroupNeed& group : groups) high = std::max(high, most_blocks(group, sequences));
  while (low < high) {
    const std::size_t middle = high - (high - low) / 2;
    if (bytes_at(groups, sequences, middle) <= bytes)
      low = middle;
    else
      high = middle - 1;
  }
  std::vector<std::size_t> blocks;
  for (const CacheGroupNeed& group : groups) blocks.push_back(blocks_at(group, sequences, low));
  return blocks;
}

}  // namespace premise
