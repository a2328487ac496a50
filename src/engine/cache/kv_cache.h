// Bookkeeping of the paged KV cache: which physical block holds which positions of which sequence.
// Integers only; the memory itself belongs to the backend.
//
// Layers with the same lifetime form a group (full attention; a sliding window), and every group
// has a pool of blocks and, for each sequence, a table from logical to physical block. A sequence
// grows in all groups or in none. A window group gives back blocks that no later token can see, so
// that a long text needs a constant number of them.
//
// Full blocks of a sequence with a scope are entered into a tree of beginnings once they are
// computed, and stay there after the sequence, or the window, has left them, until their block is
// wanted (least recently held first). A later sequence of the same scope adopts the longest
// beginning that holds in every group: all blocks of it in a full group, those that the next token
// sees in a window group. Only full blocks are shared and a sequence writes only behind what it
// adopted, so that a shared block is never written. Two sequences that compute the same block at
// the same time end up sharing one of them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/cache/block_pool.h"
#include "engine/cache/prefix_tree.h"

namespace premise {

struct CacheGroupSpec {
  std::uint32_t window = 0;  // positions visible, the own one included; 0: all
  std::size_t blocks = 0;    // physical blocks in the pool
};

/// A sequence's place in the cache; reused after release().
using SequenceSlot = std::int32_t;

/// One thread at a time.
class KvCache {
 public:
  static constexpr std::int32_t no_block = -1;

  KvCache(std::vector<CacheGroupSpec> groups, std::int32_t block_tokens);

  /// A new, empty sequence.
  SequenceSlot open(const PrefixScope& scope = {});

  /// Takes over the longest cached beginning of `text` that leaves at least one token to compute,
  /// and returns its length, a multiple of block_tokens(). The sequence is empty.
  std::size_t adopt(SequenceSlot slot, std::span<const std::int32_t> text);

  /// Blocks for positions up to `length`, in every group; false, and nothing changed, where a pool
  /// has too few. `length` does not shrink a sequence.
  [[nodiscard]] bool grow(SequenceSlot slot, std::size_t length);

  /// Declares positions below `length` computed. Blocks of window groups that no query at `length`
  /// or later can see are freed. `text` (at least `length` tokens; only looked at where the scope
  /// shares) is what was computed: its full blocks become adoptable.
  void commit(SequenceSlot slot, std::size_t length, std::span<const std::int32_t> text = {});

  /// Frees everything the sequence holds.
  void release(SequenceSlot slot);

  /// Physical blocks by logical block; no_block where freed or never allocated.
  std::span<const std::int32_t> table(SequenceSlot slot, std::size_t group) const;

  /// Blocks of a group that the sequence holds.
  std::size_t blocks_held(SequenceSlot slot, std::size_t group) const;

  std::size_t group_count() const { return groups_.size(); }
  std::int32_t block_tokens() const { return block_tokens_; }
  std::uint32_t window(std::size_t group) const { return groups_[group].window; }
  /// Blocks that no sequence holds; among them those kept for their content.
  std::size_t blocks_free(std::size_t group) const { return groups_[group].pool.available(); }
  std::size_t blocks_kept(std::size_t group) const { return groups_[group].pool.kept(); }
  std::size_t blocks_total(std::size_t group) const { return groups_[group].pool.total(); }
  std::size_t open_sequences() const { return open_sequences_; }

  /// Whether the books agree: every block has as many holders as tables name it, and one state; the
  /// tree and the pools name each other. Costs a walk over everything: for tests and when idle.
  bool consistent() const;

  /// Blocks of a group that a sequence of `length` tokens, read in steps of at most `step` tokens,
  /// holds at its peak.
  static std::size_t blocks_needed(std::uint32_t window, std::int32_t block_tokens,
                                   std::size_t length, std::size_t step);

 private:
  struct Group {
    std::uint32_t window;
    BlockPool pool;
  };
  struct Sequence {
    bool open = false;
    PrefixScope scope;
    std::size_t blocks = 0;                         // logical blocks so far, alike in every group
    std::vector<std::vector<std::int32_t>> tables;  // [group][logical block]
    std::vector<std::size_t> first_kept;            // [group] logical blocks below are freed
    std::size_t published = 0;                      // leading blocks that the tree knows
    PrefixTree::Node last = PrefixTree::none;       // of them; pinned
  };
  Sequence& at(SequenceSlot slot);
  const Sequence& at(SequenceSlot slot) const;
  std::size_t first_needed(const Group& group, std::size_t length) const;
  std::vector<PrefixTree::Node> known_beginning(const PrefixScope& scope,
                                                std::span<const std::int32_t> text) const;
  std::size_t usable_blocks(std::span<const PrefixTree::Node> path) const;
  void publish(Sequence& sequence, std::size_t length, std::span<const std::int32_t> text);
  void merge(Sequence& sequence, std::size_t logical, PrefixTree::Node node);

  std::vector<Group> groups_;
  std::vector<Sequence> sequences_;
  PrefixTree tree_;
  std::int32_t block_tokens_;
  std::size_t open_sequences_ = 0;
};

}  // namespace premise
