// The physical blocks of one cache group: who holds each, and which are kept for a later guest.
//
// A block is in one of three states. Held: one or more sequences read it. Kept: nobody holds it,
// but the prefix tree still names its content; it waits in a list, least recently held first. Free:
// neither. take() prefers a free block and otherwise forgets the content that was held longest ago,
// so that keeping costs nobody a block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace premise {

/// One thread at a time.
class BlockPool {
 public:
  static constexpr std::int32_t none = -1;

  explicit BlockPool(std::size_t blocks);

  struct Taken {
    std::int32_t block;
    std::int32_t forgotten;  // the node that named the block's content until now, or none
  };

  /// A block with one holder; available() > 0.
  Taken take();

  /// One holder more of a held or kept block.
  void share(std::int32_t block);

  /// One holder less; the last one leaves the block kept where a node names it, else free.
  void drop(std::int32_t block);

  /// Lets a node name the content of a held block.
  void name(std::int32_t block, std::int32_t node);

  std::size_t total() const { return blocks_.size(); }
  std::size_t available() const { return free_.size() + kept_; }
  std::size_t kept() const { return kept_; }
  std::uint32_t holders(std::int32_t block) const { return at(block).holders; }
  std::int32_t node(std::int32_t block) const { return at(block).node; }

 private:
  struct Block {
    std::uint32_t holders = 0;
    std::int32_t node = none;
    std::int32_t older = none, newer = none;  // neighbours in the list of kept blocks
  };
  Block& at(std::int32_t block) { return blocks_[static_cast<std::size_t>(block)]; }
  const Block& at(std::int32_t block) const { return blocks_[static_cast<std::size_t>(block)]; }
  void unlink(std::int32_t block);
  void link_newest(std::int32_t block);

  std::vector<Block> blocks_;
  std::vector<std::int32_t> free_;  // a stack: the warmest block is used first
  std::int32_t oldest_ = none, newest_ = none;
  std::size_t kept_ = 0;
};

}  // namespace premise
