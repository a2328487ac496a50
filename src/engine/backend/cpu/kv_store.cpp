#include "engine/backend/cpu/kv_store.h"

#include <cassert>

#include "engine/backend/backend.h"

namespace premise {

Result<KvStore> KvStore::create(const Plan& plan, const std::vector<std::size_t>& blocks,
                                DType type) {
  KvStore store;
  for (std::size_t g = 0; g < plan.groups.size(); ++g) {
    const CacheGroup& spec = plan.groups[g];
    Group group;
    group.blocks = blocks[g];
    group.heads = spec.kv_heads;
    group.head_bytes = kv_head_bytes(spec, type);
    group.side_bytes = spec.layers * group.blocks * group.heads * group.head_bytes;
    PREMISE_TRY(group.memory, AlignedBuffer::allocate(2 * group.side_bytes));
    store.groups_.push_back(std::move(group));
  }
  return store;
}

std::byte* KvStore::at(std::uint32_t group, std::uint32_t slot, std::int32_t block,
                       std::uint32_t head, std::size_t side) {
  Group& g = groups_[group];
  assert(block >= 0 && static_cast<std::size_t>(block) < g.blocks && head < g.heads);
  const std::size_t place = (slot * g.blocks + static_cast<std::size_t>(block)) * g.heads + head;
  return g.memory.data() + side + place * g.head_bytes;
}

std::uint64_t KvStore::bytes() const {
  std::uint64_t total = 0;
  for (const Group& group : groups_) total += group.memory.bytes();
  return total;
}

}  // namespace premise
