// Bookkeeping of the paged KV cache: which physical block holds which positions of which sequence.
// Integers only; the memory itself belongs to the backend.
//
// Layers with the same lifetime form a group (full attention; a sliding window), and every group
// has a pool of blocks and, for each sequence, a table from logical to physical block. A sequence
// grows in all groups or in none. A window group gives back blocks that no later token can see, so
// that a long text needs a constant number of them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

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
  SequenceSlot open();

  /// Blocks for positions up to `length`, in every group; false, and nothing changed, where a pool
  /// has too few. `length` does not shrink a sequence.
  [[nodiscard]] bool grow(SequenceSlot slot, std::size_t length);

  /// Declares positions below `length` computed. Blocks of window groups that no query at `length`
  /// or later can see are freed.
  void commit(SequenceSlot slot, std::size_t length);

  /// Frees everything the sequence holds.
  void release(SequenceSlot slot);

  /// Physical blocks by logical block; no_block where freed or never allocated.
  std::span<const std::int32_t> table(SequenceSlot slot, std::size_t group) const;

  std::size_t group_count() const { return groups_.size(); }
  std::int32_t block_tokens() const { return block_tokens_; }
  std::uint32_t window(std::size_t group) const { return groups_[group].spec.window; }
  std::size_t blocks_free(std::size_t group) const { return groups_[group].free.size(); }
  std::size_t blocks_total(std::size_t group) const { return groups_[group].spec.blocks; }
  std::size_t open_sequences() const { return open_sequences_; }

  /// Blocks of a group that a sequence of `length` tokens, read in steps of at most `step` tokens,
  /// holds at its peak.
  static std::size_t blocks_needed(std::uint32_t window, std::int32_t block_tokens,
                                   std::size_t length, std::size_t step);

 private:
  struct Group {
    CacheGroupSpec spec;
    std::vector<std::int32_t> free;  // a stack: the warmest block is used first
  };
  struct Sequence {
    bool open = false;
    std::size_t blocks = 0;                         // logical blocks so far, alike in every group
    std::vector<std::vector<std::int32_t>> tables;  // [group][logical block]
    std::vector<std::size_t> first_kept;            // [group] logical blocks below are freed
  };

  std::vector<Group> groups_;
  std::vector<Sequence> sequences_;
  std::int32_t block_tokens_;
  std::size_t open_sequences_ = 0;
};

}  // namespace premise
