// f32 → the types of GGUF: the plain reference encoder.
//
// Q4_0, Q4_1, Q5_0, Q5_1 and Q8_0 round to the nearest code and equal the `gguf` package's blocks
// byte for byte. The K and IQ4 types search for the scales of least squared error (block_search.h).
// Deterministic: the same input gives the same bytes on every machine.
#pragma once

#include <cstddef>
#include <span>

#include "base/result.h"
#include "numerics/tensor/dtype.h"

namespace premise {

/// Encodes one row into exactly row_bytes(dtype, row.size()) bytes. Errors (bad_input): a type that
/// is not computed, a row that is no whole number of blocks, an `out` of another size, and an
/// element (named by its index in the row) that is NaN, infinite or too large for the type.
/// After an error the contents of `out` are unspecified.
Status encode_row(DType dtype, std::span<const float> row, std::span<std::byte> out);

}  // namespace premise
