// Element types of the KV cache: which backend has which, and what they take.
#include "engine/backend/backend.h"

namespace premise {

std::span<const DType> kv_types(Isa isa) {
  static constexpr DType exact[] = {DType::f32};
  if (isa == Isa::ref) return exact;
  return all_kv_types;
}

std::uint64_t kv_head_bytes(const CacheGroup& group, DType kv_type) {
  const DTypeTraits& type = traits(kv_type);
  const std::uint64_t elements = static_cast<std::uint64_t>(kv_block_tokens) * group.head_dim;
  return elements / type.block_elements * type.block_bytes;
}

std::uint64_t kv_block_bytes(const CacheGroup& group, DType kv_type) {
  return 2 * kv_head_bytes(group, kv_type) * group.layers * group.kv_heads;
}

}  // namespace premise
