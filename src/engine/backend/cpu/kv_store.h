// The memory of the paged KV cache on a CPU, in the order that contracts/attention.h asks for.
//
// Each group holds keys and values as [layer slot][block][KV head][block_tokens * head_dim] F16.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "model/plan/plan.h"
#include "numerics/device/memory.h"

namespace premise {

class KvStore {
 public:
  static Result<KvStore> create(const Plan& plan, const std::vector<std::size_t>& blocks);

  /// One head of one block.
  std::uint16_t* keys(std::uint32_t group, std::uint32_t slot, std::int32_t block,
                      std::uint32_t head) {
    return at(group, slot, block, head, 0);
  }
  std::uint16_t* values(std::uint32_t group, std::uint32_t slot, std::int32_t block,
                        std::uint32_t head) {
    return at(group, slot, block, head, groups_[group].side_elements);
  }

  std::uint64_t bytes() const;

 private:
  struct Group {
    AlignedBuffer memory;
    std::size_t blocks = 0;
    std::size_t heads = 0;
    std::size_t head_elements = 0;  // block_tokens * head_dim
    std::size_t side_elements = 0;  // all keys, or all values
  };
  std::uint16_t* at(std::uint32_t group, std::uint32_t slot, std::int32_t block, std::uint32_t head,
                    std::size_t side);

  std::vector<Group> groups_;
};

}  // namespace premise
