#include "engine/cache/kv_cache.h"

#include <algorithm>
#include <cassert>

namespace premise {

KvCache::KvCache(std::vector<CacheGroupSpec> groups, std::int32_t block_tokens)
    : tree_(groups.size()), block_tokens_(block_tokens) {
  assert(block_tokens > 0);
  for (const CacheGroupSpec& spec : groups)
    groups_.push_back({spec.window, BlockPool(spec.blocks)});
}

KvCache::Sequence& KvCache::at(SequenceSlot slot) {
  Sequence& sequence = sequences_[static_cast<std::size_t>(slot)];
  assert(sequence.open);
  return sequence;
}

const KvCache::Sequence& KvCache::at(SequenceSlot slot) const {
  const Sequence& sequence = sequences_[static_cast<std::size_t>(slot)];
  assert(sequence.open);
  return sequence;
}

SequenceSlot KvCache::open(const PrefixScope& scope) {
  auto found = std::ranges::find(sequences_, false, &Sequence::open);
  if (found == sequences_.end()) {
    sequences_.emplace_back();
    found = sequences_.end() - 1;
  }
  found->open = true;
  found->scope = scope;
  found->tables.assign(groups_.size(), {});
  found->first_kept.assign(groups_.size(), 0);
  ++open_sequences_;
  return static_cast<SequenceSlot>(found - sequences_.begin());
}

// The first logical block that a query at position `length` sees.
std::size_t KvCache::first_needed(const Group& group, std::size_t length) const {
  if (group.window == 0 || length < group.window) return 0;
  return (length - group.window + 1) / static_cast<std::size_t>(block_tokens_);
}

// The nodes of the text's full blocks, as far as the tree knows them and one token is left over.
std::vector<PrefixTree::Node> KvCache::known_beginning(const PrefixScope& scope,
                                                       std::span<const std::int32_t> text) const {
  std::vector<PrefixTree::Node> path;
  const auto block = static_cast<std::size_t>(block_tokens_);
  PrefixTree::Node node = PrefixTree::none;
  for (std::size_t end = block; end < text.size(); end += block) {
    node = tree_.find(scope, node, text.subspan(end - block, block));
    if (node == PrefixTree::none) break;
    path.push_back(node);
  }
  return path;
}

// How many of these blocks, from the first on, hold in every group.
std::size_t KvCache::usable_blocks(std::span<const PrefixTree::Node> path) const {
  std::vector<std::size_t> unbroken(groups_.size(), 0);  // blocks present up to here
  std::size_t usable = 0;
  for (std::size_t count = 1; count <= path.size(); ++count) {
    bool holds = true;
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      unbroken[g] = tree_.block(path[count - 1], g) == no_block ? 0 : unbroken[g] + 1;
      const std::size_t length = count * static_cast<std::size_t>(block_tokens_);
      holds = holds && unbroken[g] >= count - first_needed(groups_[g], length);
    }
    if (holds) usable = count;
  }
  return usable;
}

std::size_t KvCache::adopt(SequenceSlot slot, std::span<const std::int32_t> text) {
  Sequence& sequence = at(slot);
  assert(sequence.blocks == 0);
  if (!sequence.scope.shares()) return 0;
  const std::vector<PrefixTree::Node> path = known_beginning(sequence.scope, text);
  const std::size_t count = usable_blocks(path);
  if (count == 0) return 0;
  const std::size_t length = count * static_cast<std::size_t>(block_tokens_);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const std::size_t first = first_needed(groups_[g], length);
    sequence.tables[g].assign(count, no_block);
    sequence.first_kept[g] = first;
    for (std::size_t b = first; b < count; ++b) {
      sequence.tables[g][b] = tree_.block(path[b], g);
      groups_[g].pool.share(sequence.tables[g][b]);
    }
  }
  sequence.blocks = sequence.published = count;
  sequence.last = path[count - 1];
  tree_.pin(sequence.last);
  return length;
}

bool KvCache::grow(SequenceSlot slot, std::size_t length) {
  Sequence& sequence = at(slot);
  const auto block = static_cast<std::size_t>(block_tokens_);
  const std::size_t wanted = (length + block - 1) / block;
  if (wanted <= sequence.blocks) return true;
  const std::size_t added = wanted - sequence.blocks;
  for (const Group& group : groups_)
    if (group.pool.available() < added) return false;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    for (std::size_t i = 0; i < added; ++i) {
      const BlockPool::Taken taken = groups_[g].pool.take();
      if (taken.forgotten != BlockPool::none) tree_.forget_block(taken.forgotten, g);
      sequence.tables[g].push_back(taken.block);
    }
  }
  sequence.blocks = wanted;
  return true;
}

void KvCache::commit(SequenceSlot slot, std::size_t length, std::span<const std::int32_t> text) {
  Sequence& sequence = at(slot);
  assert(length <= sequence.blocks * static_cast<std::size_t>(block_tokens_));
  if (sequence.scope.shares()) publish(sequence, length, text);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const std::size_t keep = std::min(first_needed(groups_[g], length), sequence.blocks);
    for (std::size_t& b = sequence.first_kept[g]; b < keep; ++b) {
      groups_[g].pool.drop(sequence.tables[g][b]);
      sequence.tables[g][b] = no_block;
    }
  }
}

void KvCache::publish(Sequence& sequence, std::size_t length, std::span<const std::int32_t> text) {
  const auto block = static_cast<std::size_t>(block_tokens_);
  assert(text.size() >= length);
  for (std::size_t& b = sequence.published; (b + 1) * block <= length; ++b) {
    const auto tokens = text.subspan(b * block, block);
    PrefixTree::Node node = tree_.find(sequence.scope, sequence.last, tokens);
    if (node == PrefixTree::none)
      node = tree_.add(sequence.scope, sequence.last, tokens);
    else
      tree_.pin(node);
    if (sequence.last != PrefixTree::none) tree_.unpin(sequence.last);
    sequence.last = node;
    merge(sequence, b, node);
  }
}

// The sequence's block becomes the node's, or the node's the sequence's where another was earlier.
void KvCache::merge(Sequence& sequence, std::size_t logical, PrefixTree::Node node) {
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    BlockPool& pool = groups_[g].pool;
    std::int32_t& own = sequence.tables[g][logical];
    const std::int32_t known = tree_.block(node, g);
    if (known == no_block) {
      tree_.set_block(node, g, own);
      pool.name(own, node);
    } else {
      pool.share(known);
      pool.drop(own);
      own = known;
    }
  }
}

// The last block goes first, so that among the kept ones a text's end is older than its beginning:
// what is forgotten first is what fewest texts share, and no block outlives one it depends on.
void KvCache::release(SequenceSlot slot) {
  Sequence& sequence = at(slot);
  for (std::size_t g = 0; g < groups_.size(); ++g)
    for (auto block = sequence.tables[g].rbegin(); block != sequence.tables[g].rend(); ++block)
      if (*block != no_block) groups_[g].pool.drop(*block);
  if (sequence.last != PrefixTree::none) tree_.unpin(sequence.last);
  sequence = Sequence{};
  --open_sequences_;
}

std::span<const std::int32_t> KvCache::table(SequenceSlot slot, std::size_t group) const {
  return at(slot).tables[group];
}

std::size_t KvCache::blocks_held(SequenceSlot slot, std::size_t group) const {
  const Sequence& sequence = at(slot);
  return sequence.blocks - sequence.first_kept[group];
}

bool KvCache::consistent() const {
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const BlockPool& pool = groups_[g].pool;
    std::vector<std::uint32_t> named(pool.total(), 0);
    for (const Sequence& sequence : sequences_)
      for (std::size_t b = 0; sequence.open && b < sequence.blocks; ++b)
        if (const std::int32_t block = sequence.tables[g][b]; block != no_block)
          ++named[static_cast<std::size_t>(block)];
    std::size_t held = 0;
    for (std::size_t b = 0; b < named.size(); ++b) {
      const auto block = static_cast<std::int32_t>(b);
      if (pool.holders(block) != named[b]) return false;
      const PrefixTree::Node node = pool.node(block);
      if (node != PrefixTree::none && tree_.block(node, g) != block) return false;
      if (named[b] > 0) ++held;
    }
    if (held + pool.available() != pool.total()) return false;
  }
  // A node without blocks, pins or children would have been pruned.
  const auto keeps = [](const Group& group) { return group.pool.kept() > 0; };
  return open_sequences_ > 0 || tree_.size() == 0 || std::ranges::any_of(groups_, keeps);
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
