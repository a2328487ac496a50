// Codes and scales for one block of f32 values, of formats whose scales are worth a search.
#pragma once

#include "numerics/quant/grouped_block.h"

namespace premise {

/// The format is one of q2_k … q6_k, iq4_nl, iq4_xs. Fills `out` so that the formula of
/// grouped_block.h comes near `values` [one block], in the sense of least squares. Values must be
/// finite. Where they are too large for f16 factors, `d` or `dmin` of the result is infinite and
/// the rest unspecified: the caller must look.
void search_block(DType dtype, const float* values, GroupedBlock& out);

}  // namespace premise
