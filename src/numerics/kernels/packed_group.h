// One row's share of one group of a packed matrix, as plain numbers. The slow, obvious reading of
// packed_layout.h, on which the scalar kernel and the embedding lookup stand.
#pragma once

#include <cstdint>

#include "numerics/kernels/contracts/packed_layout.h"

namespace premise {

struct GroupValues {
  std::uint8_t code[group_columns];  // value = (code − zero) · scale − min
  float scale[2];                    // of columns 0-15 and 16-31; equal where they share one
  float min[2];                      // M of contracts/matmul.h; 0 where the format has none
};

/// Group `group` of row `row` of an integer layout; both exist.
void read_group(const PackedMatrix& matrix, std::uint64_t row, std::uint64_t group,
                GroupValues& out);

}  // namespace premise
