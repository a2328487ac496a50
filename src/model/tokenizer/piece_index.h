// From the bytes of a piece to its id: open addressing, one probe for most words.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/tokenizer/token_model.h"

namespace premise {

inline std::uint64_t hash_bytes(std::string_view bytes) {
  constexpr std::uint64_t multiplier = 0x9E3779B97F4A7C15;
  const auto mix = [](std::uint64_t h) {
    h *= multiplier;
    return h ^ h >> 32;
  };
  std::uint64_t hash = bytes.size() * multiplier;
  const char* p = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; p += 8, left -= 8) {
    std::uint64_t word;
    std::memcpy(&word, p, 8);
    hash = mix(hash ^ word);
  }
  std::uint64_t tail = 0;
  if (left >= 4) {  // two loads that overlap
    std::uint32_t low, high;
    std::memcpy(&low, p, 4);
    std::memcpy(&high, p + left - 4, 4);
    tail = low | std::uint64_t{high} << 32;
  } else if (left > 0) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(p[i]); };
    tail = static_cast<std::uint64_t>(byte(0) | byte(left / 2) << 8 | byte(left - 1) << 16);
  }
  return mix(hash ^ tail);
}

/// Refers to strings that must outlive it and keep their places. Of equal strings the lowest id is
/// found. Immutable after building, hence thread-safe.
class PieceIndex {
 public:
  /// Ids whose `skip` flag is set are left out (`skip` may be empty).
  explicit PieceIndex(std::span<const std::string> pieces, const std::vector<bool>& skip = {})
      : pieces_(pieces) {
    std::size_t slots = 16;
    while (slots < pieces.size() * 2) slots *= 2;
    slots_.assign(slots, Slot{});
    mask_ = slots - 1;
    for (std::size_t id = 0; id < pieces.size(); ++id) {
      if (!skip.empty() && skip[id]) continue;
      const std::uint64_t hash = hash_bytes(pieces[id]);
      std::size_t slot = hash & mask_;
      while (slots_[slot].id >= 0 && !matches(slots_[slot], hash, pieces[id])) {
        slot = (slot + 1) & mask_;
      }
      if (slots_[slot].id < 0) {
        slots_[slot] = {static_cast<std::uint32_t>(hash >> 32), static_cast<TokenId>(id)};
      }
    }
  }

  /// -1 when there is none.
  TokenId find(std::string_view piece) const {
    const std::uint64_t hash = hash_bytes(piece);
    for (std::size_t slot = hash & mask_; slots_[slot].id >= 0; slot = (slot + 1) & mask_) {
      if (matches(slots_[slot], hash, piece)) return slots_[slot].id;
    }
    return -1;
  }

 private:
  struct Slot {
    std::uint32_t tag = 0;
    TokenId id = -1;
  };
  bool matches(const Slot& slot, std::uint64_t hash, std::string_view piece) const {
    return slot.tag == static_cast<std::uint32_t>(hash >> 32) &&
           pieces_[static_cast<std::size_t>(slot.id)] == piece;
  }

  std::span<const std::string> pieces_;
  std::vector<Slot> slots_;
  std::size_t mask_ = 0;
};

}  // namespace premise
