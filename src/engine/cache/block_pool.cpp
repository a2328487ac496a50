#include "engine/cache/block_pool.h"

#include <cassert>
#include <utility>

namespace premise {

BlockPool::BlockPool(std::size_t blocks) : blocks_(blocks), free_(blocks) {
  // Block 0 on top, so that a fresh pool hands blocks out in order of address.
  for (std::size_t i = 0; i < blocks; ++i) free_[i] = static_cast<std::int32_t>(blocks - 1 - i);
}

BlockPool::Taken BlockPool::take() {
  assert(available() > 0);
  Taken taken{none, none};
  if (!free_.empty()) {
    taken.block = free_.back();
    free_.pop_back();
  } else {
    taken.block = oldest_;
    unlink(taken.block);
    taken.forgotten = std::exchange(at(taken.block).node, none);
  }
  at(taken.block).holders = 1;
  return taken;
}

void BlockPool::share(std::int32_t block) {
  if (at(block).holders++ == 0) unlink(block);
}

void BlockPool::drop(std::int32_t block) {
  assert(at(block).holders > 0);
  if (--at(block).holders > 0) return;
  if (at(block).node == none)
    free_.push_back(block);
  else
    link_newest(block);
}

void BlockPool::name(std::int32_t block, std::int32_t node) {
  assert(at(block).holders > 0 && at(block).node == none);
  at(block).node = node;
}

void BlockPool::unlink(std::int32_t block) {
  Block& b = at(block);
  assert(b.holders <= 1 && b.node != none);
  (b.older == none ? oldest_ : at(b.older).newer) = b.newer;
  (b.newer == none ? newest_ : at(b.newer).older) = b.older;
  b.older = b.newer = none;
  --kept_;
}

void BlockPool::link_newest(std::int32_t block) {
  Block& b = at(block);
  b.older = newest_;
  b.newer = none;
  (newest_ == none ? oldest_ : at(newest_).newer) = block;
  newest_ = block;
  ++kept_;
}

}  // namespace premise
