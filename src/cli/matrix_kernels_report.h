// What computes each matrix of a model, for `premise bench engine`.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "base/text.h"
#include "bench/matrix_kernels.h"

namespace premise {

/// A row for each kind of matrix, and a line of shares.
std::string matrix_kernels_page(std::span<const MatrixKernel> matrices, Language language);

/// {"share": of products, "bytes_share": …, "required": …, "tensors": [every matrix]}
nlohmann::ordered_json matrix_kernels_document(std::span<const MatrixKernel> matrices);

/// "41.2 % of the products are on the fast path, less than 95 %: blk.*.ffn_down.weight (f16:
/// matmul.f16.avx512, floats); …", those with the most products first.
Text off_the_fast_path(std::span<const MatrixKernel> matrices);

}  // namespace premise
