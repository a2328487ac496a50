#include "engine/cache/kv_cache.h"

#include <algorithm>
#include <cassert>

namespace premise {

KvCache::KvCache(std::vector<CacheGroupSpec> groups, std::int32_t block_tokens)
    : block_tokens_(block_tokens) {
  assert(block_tokens > 0);
  for (const CacheGroupSpec& spec : groups) {
    Group& group = groups_.emplace_back(Group{spec, {}});
    group.free.resize(spec.blocks);
    // Block 0 on top, so that a fresh cache hands blocks out in order of address.
    for (std::size_t i = 0; i < spec.blocks; ++i)
      group.free[i] = static_cast<std::int32_t>(spec.blocks - 1 - i);
  }
}

SequenceSlot KvCache::open() {
  auto found = std::ranges::find(sequences_, false, &Sequence::open);
  if (found == sequences_.end()) {
    sequences_.emplace_back();
    found = sequences_.end() - 1;
  }
  found->open = true;
  found->blocks = 0;
  found->tables.assign(groups_.size(), {});
  found->first_kept.assign(groups_.size(), 0);
  ++open_sequences_;
  return static_cast<SequenceSlot>(found - sequences_.begin());
}

bool KvCache::grow(SequenceSlot slot, std::size_t length) {
  Sequence& sequence = sequences_[static_cast<std::size_t>(slot)];
  assert(sequence.open);
  const auto block = static_cast<std::size_t>(block_tokens_);
  const std::size_t wanted = (length + block - 1) / block;
  if (wanted <= sequence.blocks) return true;
  const std::size_t added = wanted - sequence.blocks;
  for (const Group& group : groups_)
    if (group.free.size() < added) return false;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    for (std::size_t i = 0; i < added; ++i) {
      sequence.tables[g].push_back(groups_[g].free.back());
      groups_[g].free.pop_back();
    }
  }
  sequence.blocks = wanted;
  return true;
}

void KvCache::commit(SequenceSlot slot, std::size_t length) {
  Sequence& sequence = sequences_[static_cast<std::size_t>(slot)];
  assert(sequence.open && length <= sequence.blocks * static_cast<std::size_t>(block_tokens_));
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const std::size_t window = groups_[g].spec.window;
    if (window == 0 || length < window) continue;
    // The next query, at position `length`, sees positions from length - window + 1 on.
    const std::size_t first_seen = length - window + 1;
    const std::size_t keep = first_seen / static_cast<std::size_t>(block_tokens_);
    for (std::size_t& b = sequence.first_kept[g]; b < std::min(keep, sequence.blocks); ++b) {
      groups_[g].free.push_back(sequence.tables[g][b]);
      sequence.tables[g][b] = no_block;
    }
  }
}

void KvCache::release(SequenceSlot slot) {
  Sequence& sequence = sequences_[static_cast<std::size_t>(slot)];
  assert(sequence.open);
  for (std::size_t g = 0; g < groups_.size(); ++g)
    for (auto block = sequence.tables[g].rbegin(); block != sequence.tables[g].rend(); ++block)
      if (*block != no_block) groups_[g].free.push_back(*block);
  sequence = Sequence{};
  --open_sequences_;
}

std::span<const std::int32_t> KvCache::table(SequenceSlot slot, std::size_t group) const {
  const Sequence& sequence = sequences_[static_cast<std::size_t>(slot)];
  assert(sequence.open);
  return sequence.tables[group];
}

std::size_t KvCache::blocks_needed(std::uint32_t window, std::int32_t block_tokens,
                                   std::size_t length, std::size_t step) {
  const auto block = static_cast<std::size_t>(block_tokens);
  const std::size_t all = (length + block - 1) / block;
  if (window == 0) return all;
  // Before a step the window's positions are held, after it the step's too; both ends may lie
  // inside a block.
  return std::min(all, (window + step + block - 1) / block + 1);
}

}  // namespace premise
