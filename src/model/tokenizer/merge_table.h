// (left id, right id) → (rank, merged id): open addressing over 16-byte entries.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/tokenizer/bpe.h"

namespace premise {

class MergeTable {
 public:
  static constexpr std::uint32_t no_rank = 0xFFFFFFFF;
  struct Found {
    std::uint32_t rank = no_rank;
    TokenId result = -1;
  };

  explicit MergeTable(std::span<const BpeMerge> merges) {
    std::size_t slots = 16;
    while (slots < merges.size() * 2) slots *= 2;
    slots_.assign(slots, Slot{});
    mask_ = slots - 1;
    for (std::size_t rank = 0; rank < merges.size(); ++rank) {
      const std::uint64_t pair = key(merges[rank].left, merges[rank].right);
      Slot& slot = slots_[place(pair)];
      if (slot.pair == pair) continue;  // a pair keeps its first rank
      slot = {pair, {static_cast<std::uint32_t>(rank), merges[rank].result}};
    }
  }

  Found find(TokenId left, TokenId right) const {
    if (left < 0 || right < 0) return {};
    const std::uint64_t pair = key(left, right);
    const Slot& slot = slots_[place(pair)];
    return slot.pair == pair ? slot.found : Found{};
  }

 private:
  static constexpr std::uint64_t empty = ~std::uint64_t{0};  // ids are never negative
  struct Slot {
    std::uint64_t pair = empty;
    Found found;
  };
  static std::uint64_t key(TokenId left, TokenId right) {
    return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 |
           static_cast<std::uint32_t>(right);
  }
  // Where the pair is, or the free slot where it would be.
  std::size_t place(std::uint64_t pair) const {
    std::uint64_t hash = pair * 0x9E3779B97F4A7C15;
    hash ^= hash >> 32;
    std::size_t slot = hash & mask_;
    while (slots_[slot].pair != pair && slots_[slot].pair != empty) slot = (slot + 1) & mask_;
    return slot;
  }

  std::vector<Slot> slots_;
  std::size_t mask_ = 0;
};

}  // namespace premise
