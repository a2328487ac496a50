#include "cli/matrix_kernels_report.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/printable.h"
#include "base/units.h"
#include "cli/table.h"

namespace premise {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t slow_kinds_shown = 3;

// "matmul.p4.amx, matmul.p4.avx512": that of many tokens first.
std::string kernels_of(const MatrixKernel& matrix) {
  return matrix.tile_kernel.empty() ? matrix.kernel : matrix.tile_kernel + ", " + matrix.kernel;
}

// Rounded down: 94.99 % must not be shown as the 95 % that it misses.
std::string percent(double share) {
  return fmt::format("{:.1f} %", std::floor(1000.0 * share) / 10.0);
}

}  // namespace

std::string matrix_kernels_page(std::span<const MatrixKernel> matrices, Language language) {
  const auto say = [language](const Text& text) { return text.in(language); };
  double all = 0.0;
  for (const MatrixKernel& matrix : matrices) all += static_cast<double>(matrix.products);
  std::vector<std::vector<std::string>> rows{
      {say(text({"MATRICES", "矩阵"})), say(text({"COUNT", "数量"})), say(text({"TYPE", "类型"})),
       say(text({"LAYOUT", "布局"})), say(text({"KERNEL", "内核"})), say(text({"SIZE", "大小"})),
       say(text({"PRODUCTS", "乘法占比"})), say(text({"FAST PATH", "快速路径"}))}};
  for (const MatrixKernel& kind : by_kind(matrices)) {
    const double share = all > 0.0 ? static_cast<double>(kind.products) / all : 0.0;
    rows.push_back({printable(kind.tensor), fmt::format("{}", kind.count), kind.type, kind.layout,
                    kernels_of(kind), format_bytes(kind.bytes),
                    fmt::format("{:.1f} %", 100.0 * share),
                    kind.fast ? say(text({"yes", "是"}))
                              : say(text({"no: {}", "否：{}"}, name_of(kind.path)))});
  }
  const FastShare share = fast_share(matrices);
  return aligned_table(rows, "lrlllrrl") +
         say(text(
             {"fast path: {} of the products, {} of the weights", "快速路径：乘法的 {}，权重的 {}"},
             percent(share.products), percent(share.bytes))) +
         "\n";
}

Json matrix_kernels_document(std::span<const MatrixKernel> matrices) {
  const FastShare share = fast_share(matrices);
  Json tensors = Json::array();
  for (const MatrixKernel& m : matrices)
    tensors.push_back({{"tensor", m.tensor},
                       {"type", m.type},
                       {"layout", m.layout.empty() ? Json() : Json(m.layout)},
                       {"kernel", m.kernel},
                       {"tile_kernel", m.tile_kernel.empty() ? Json() : Json(m.tile_kernel)},
                       {"path", name_of(m.path)},
                       {"fast", m.fast},
                       {"bytes", m.bytes},
                       {"products", m.products}});
  return {{"share", share.products},
          {"bytes_share", share.bytes},
          {"required", fast_share_expected},
          {"tensors", std::move(tensors)}};
}

Text off_the_fast_path(std::span<const MatrixKernel> matrices) {
  std::vector<MatrixKernel> slow = by_kind(matrices);
  std::erase_if(slow, [](const MatrixKernel& kind) { return kind.fast; });
  std::ranges::stable_sort(slow, std::ranges::greater(), &MatrixKernel::products);
  std::string named;
  for (std::size_t i = 0; i < std::min(slow.size(), slow_kinds_shown); ++i)
    named += fmt::format("{}{} ({}: {}, {})", i == 0 ? "" : "; ", printable(slow[i].tensor),
                         slow[i].type, kernels_of(slow[i]), name_of(slow[i].path));
  if (slow.size() > slow_kinds_shown) named += "; …";
  return text({"{} of the products are on the fast path, less than {:.0f} %: {}",
               "仅 {} 的乘法走快速路径，低于 {:.0f} %：{}"},
              percent(fast_share(matrices).products), 100.0 * fast_share_expected, named);
}

}  // namespace premise
