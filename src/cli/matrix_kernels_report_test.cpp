#include "cli/matrix_kernels_report.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace premise {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

MatrixKernel matrix(std::string tensor, std::string type, ProductPath path, bool fast,
                    std::uint64_t products) {
  return {.tensor = std::move(tensor),
          .type = std::move(type),
          .layout = "p8",
          .kernel = "matmul.p8.avx512",
          .tile_kernel = path == ProductPath::tiles ? "matmul.p8.amx" : "",
          .path = path,
          .fast = fast,
          .bytes = 2 * products,
          .products = products};
}

const std::vector<MatrixKernel> mixed_model{
    matrix("blk.0.ffn_up.weight", "q8_0", ProductPath::tiles, true, 5000),
    matrix("blk.1.ffn_up.weight", "q8_0", ProductPath::tiles, true, 4499),
    matrix("blk.0.attn\x1b[2J", "f16", ProductPath::floats, false, 200),
    matrix("blk.1.attn_q.weight", "f32", ProductPath::floats, false, 301)};

TEST(MatrixKernelsReport, ShowsAKindARowAndTheShares) {
  const std::string page = matrix_kernels_page(mixed_model, Language::english);
  EXPECT_THAT(page,
              AllOf(HasSubstr("blk.*.ffn_up.weight"), HasSubstr("matmul.p8.amx, matmul.p8.avx512"),
                    HasSubstr("94.9 %"), HasSubstr("no: floats")));
  // 9,499 of 10,000: rounded down, since it misses 95 %.
  EXPECT_THAT(page, HasSubstr("fast path: 94.9 % of the products, 94.9 % of the weights\n"));
  EXPECT_THAT(page, AllOf(Not(HasSubstr("\x1b")), HasSubstr("\\x1b[2J")));
  EXPECT_THAT(matrix_kernels_page(mixed_model, Language::chinese),
              AllOf(HasSubstr("快速路径"), HasSubstr("否：floats")));
}

TEST(MatrixKernelsReport, TheDocumentLeavesNoMatrixOut) {
  const auto document = matrix_kernels_document(mixed_model);
  EXPECT_DOUBLE_EQ(document["share"], 0.9499);
  EXPECT_EQ(document["required"], 0.95);
  ASSERT_EQ(document["tensors"].size(), 4u);
  EXPECT_EQ(document["tensors"][1]["tensor"], "blk.1.ffn_up.weight");
  EXPECT_EQ(document["tensors"][1]["path"], "tiles");
  EXPECT_EQ(document["tensors"][1]["fast"], true);
  EXPECT_EQ(document["tensors"][1]["products"], 4499);
  EXPECT_TRUE(document["tensors"][3]["tile_kernel"].is_null());
}

TEST(MatrixKernelsReport, WhatIsSlowIsNamedLargestFirst) {
  const std::string said = off_the_fast_path(mixed_model).en;
  EXPECT_THAT(said,
              HasSubstr("94.9 % of the products are on the fast path, less than 95 %: "
                        "blk.*.attn_q.weight (f32: matmul.p8.avx512, floats); blk.*.attn\\x1b"));
  EXPECT_THAT(said, Not(HasSubstr("ffn_up")));
}

}  // namespace
}  // namespace premise
