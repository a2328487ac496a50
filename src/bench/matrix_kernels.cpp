#include "bench/matrix_kernels.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <tuple>

namespace premise {
namespace {

// "blk.*.attn_q.weight" of "blk.3.attn_q.weight".
std::string kind_of(const std::string& tensor) {
  constexpr std::string_view stem = "blk.";
  if (!tensor.starts_with(stem)) return tensor;
  const auto rest = std::find_if_not(tensor.begin() + stem.size(), tensor.end(),
                                     [](unsigned char c) { return std::isdigit(c) != 0; });
  if (rest == tensor.begin() + stem.size() || rest == tensor.end() || *rest != '.') return tensor;
  return std::string(stem) + "*" + std::string(rest, tensor.end());
}

auto manner_of(const MatrixKernel& matrix) {
  return std::tie(matrix.tensor, matrix.type, matrix.layout, matrix.kernel, matrix.tile_kernel,
                  matrix.path, matrix.fast);
}

}  // namespace

std::vector<MatrixKernel> matrix_kernels(std::span<const OpReport> ops) {
  std::vector<MatrixKernel> matrices;
  for (const OpReport& op : ops)
    if (op.path)
      matrices.push_back({.tensor = op.weight,
                          .type = op.type,
                          .layout = op.layout,
                          .kernel = op.kernel,
                          .tile_kernel = op.tile_kernel,
                          .path = *op.path,
                          .fast = op.fast,
                          .bytes = op.weight_bytes,
                          .products = op.products});
  return matrices;
}

std::vector<MatrixKernel> by_kind(std::span<const MatrixKernel> matrices) {
  std::vector<MatrixKernel> kinds;
  for (MatrixKernel matrix : matrices) {
    matrix.tensor = kind_of(matrix.tensor);
    const auto alike = std::ranges::find_if(
        kinds, [&](const MatrixKernel& kind) { return manner_of(kind) == manner_of(matrix); });
    if (alike == kinds.end()) {
      kinds.push_back(std::move(matrix));
      continue;
    }
    alike->count += matrix.count;
    alike->bytes += matrix.bytes;
    alike->products += matrix.products;
  }
  return kinds;
}

FastShare fast_share(std::span<const MatrixKernel> matrices) {
  double products = 0.0, bytes = 0.0;
  FastShare fast;
  for (const MatrixKernel& matrix : matrices) {
    products += static_cast<double>(matrix.products);
    bytes += static_cast<double>(matrix.bytes);
    if (!matrix.fast) continue;
    fast.products += static_cast<double>(matrix.products);
    fast.bytes += static_cast<double>(matrix.bytes);
  }
  return {products > 0.0 ? fast.products / products : 0.0, bytes > 0.0 ? fast.bytes / bytes : 0.0};
}

}  // namespace premise
