// Which layout a type of weights gets, and the sizes that follow. For this room's baseline code.
#pragma once

#include <cstdint>
#include <optional>

#include "numerics/kernels/contracts/packed_layout.h"
#include "numerics/tensor/dtype.h"

namespace premise {

struct PackedFormat {
  DType dtype;
  Layout layout;
  ScaleKind scales;
  std::uint8_t zero;           // see PackedMatrix
  std::uint8_t element_bytes;  // plain layouts; 0 otherwise
};

/// Null where the engine does not compute with the type.
const PackedFormat* packed_format(DType dtype);

/// Bytes of a panel, or nothing where they overflow; columns are a multiple of the block.
std::optional<std::uint64_t> panel_bytes_of(const PackedFormat& format, std::uint64_t columns);

}  // namespace premise
