// The memory of the paged KV cache on a CPU, in the order that contracts/attention.h asks for.
//
// Each group holds keys and values as [layer slot][block][KV head][block_tokens * head_dim]. What
// the bytes of a block mean is between the two functions of an attention kernel.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "model/plan/plan.h"
#include "numerics/device/memory.h"
#include "numerics/tensor/dtype.h"

namespace premise {

class KvStore {
 public:
  static Result<KvStore> create(const Plan& plan, const std::vector<std::size_t>& blocks,
                                DType type);

  /// One head of one block.
  std::byte* keys(std::uint32_t group, std::uint32_t slot, std::int32_t block, std::uint32_t head) {
    return at(group, slot, block, head, 0);
  }
  std::byte* values(std::uint32_t group, std::uint32_t slot, std::int32_t block,
                    std::uint32_t head) {
    return at(group, slot, block, head, groups_[group].side_bytes);
  }

  std::uint64_t bytes() const;

 private:
  struct Group {
    AlignedBuffer memory;
    std::size_t blocks = 0;
    std::size_t heads = 0;
    std::size_t head_bytes = 0;  // of one KV head in one block
    std::size_t side_bytes = 0;  // all keys, or all values
  };
  std::byte* at(std::uint32_t group, std::uint32_t slot, std::int32_t block, std::uint32_t head,
                std::size_t side);

  std::vector<Group> groups_;
};

}  // namespace premise
