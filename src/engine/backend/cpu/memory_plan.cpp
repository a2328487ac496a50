#include "engine/backend/cpu/memory_plan.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace premise {
namespace {

bool overlap(const Lifetime& a, const Lifetime& b) {
  return a.first <= b.last && b.first <= a.last;
}

struct Placed {
  std::size_t offset;
  std::size_t end;
  const Lifetime* life;
};

}  // namespace

MemoryPlan plan_memory(std::span<const Lifetime> lifetimes, std::size_t alignment) {
  MemoryPlan plan;
  plan.offsets.resize(lifetimes.size(), 0);
  std::vector<std::size_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    return std::pair(lifetimes[b].bytes, a) < std::pair(lifetimes[a].bytes, b);
  });

  std::vector<Placed> placed;  // by offset
  for (const std::size_t index : order) {
    const Lifetime& life = lifetimes[index];
    if (life.bytes == 0) continue;
    const std::size_t bytes = (life.bytes + alignment - 1) / alignment * alignment;
    std::size_t offset = 0;
    for (const Placed& other : placed) {
      if (!overlap(life, *other.life)) continue;
      if (offset + bytes <= other.offset) break;
      offset = std::max(offset, other.end);
    }
    plan.offsets[index] = offset;
    plan.bytes = std::max(plan.bytes, offset + bytes);
    const Placed here{offset, offset + bytes, &life};
    placed.insert(std::ranges::upper_bound(placed, offset, {}, &Placed::offset), here);
  }
  return plan;
}

}  // namespace premise
