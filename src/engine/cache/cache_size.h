// How many blocks each group of the KV cache gets where its memory is bounded.
//
// Every group first gets what one request of the whole context holds: less, and such a request
// could never run. What is left is shared out by one number, the blocks that every group may reach:
// a text takes as many blocks of each group as of any other until a window gives its first ones
// back, so that unequal groups only leave blocks of the larger one idle. No group gets more than
// all sequences together could use, wherefore windows are satisfied early and what remains goes to
// full attention. Shares in proportion to what one request needs were rejected: they give most to
// full attention, and many short texts then run out of window blocks beside idle ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace premise {

struct CacheGroupNeed {
  std::size_t blocks = 0;         // that one request of the whole context holds at its peak
  std::uint64_t block_bytes = 0;  // of one block, over all layers
};

/// Bytes of one request of the whole context. Saturates.
std::uint64_t least_cache_bytes(std::span<const CacheGroupNeed> groups);

/// Blocks by group, in at most `bytes`. `bytes` is least_cache_bytes() or more; `sequences` is 1 or
/// more.
std::vector<std::size_t> cache_blocks_within(std::span<const CacheGroupNeed> groups,
                                             std::size_t sequences, std::uint64_t bytes);

}  // namespace premise
