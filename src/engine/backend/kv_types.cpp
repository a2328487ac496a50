// Element types of the KV cache: which backend has which, and what they take.
#include "engine/backend/backend.h"

namespace premise {

std::span<const DType> kv_types(Isa isa) {
  static constexpr DType exact[] = {DType::f32};
  if (isa == Isa::ref) return exact;
  return all_kv_types;
}

Status check_kv_type(const Plan& plan, DType kv_type, std::string_view model) {
  const DTypeTraits& type = traits(kv_type);
  for (const CacheGroup& group : plan.groups) {
    if (group.head_dim % type.block_elements == 0) continue;
    return error(
               ErrorCode::usage,
               {"{}: a KV cache of type {} was asked for; it needs heads of a multiple of {} "
                "dimensions, and this model's have {}",
                "{}：请求的 KV 缓存类型为 {}；它要求注意力头的维数是 {} 的倍数，而该模型为 {} 维"},
               model, type.name, type.block_elements, group.head_dim)
        .with_hint(text({"f16 takes any model, in nearly twice the memory",
                         "f16 适用于任何模型，占用约为其两倍"}));
  }
  return {};
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
