// Weights of a file as f32: the plain reference that every kernel is measured against.
//
// Results equal ggml's reference bit for bit, for every type and block (grouped_block.h says why);
// f16 and bf16 are exact. NaN and infinite scales decode to what the formula gives.
#pragma once

#include <cstddef>
#include <span>

#include "base/result.h"
#include "numerics/tensor/dtype.h"

namespace premise {

/// Decodes one row. Errors (bad_input): a type that is not computed, a row that is no whole number
/// of blocks, or bytes and elements that disagree; `out` is then untouched.
Status decode_row(DType dtype, std::span<const std::byte> row, std::span<float> out);

/// The same without checks: `dtype` is computed, `elements` a whole number of blocks. The source
/// may lie at any alignment and must not overlap `out`.
void decode_blocks(DType dtype, const std::byte* blocks, float* out, std::size_t elements);

}  // namespace premise
