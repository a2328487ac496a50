#include "bench/matrix_kernels.h"

#include <gmock/gmock.h>

namespace premise {
namespace {

using testing::ElementsAre;

OpReport product(std::string weight, std::string type, bool fast, std::uint64_t products,
                 std::uint64_t bytes) {
  OpReport op{0, "linear", std::move(weight), std::move(type), "matmul.p4.avx512", bytes};
  op.layout = "p4";
  op.path = fast ? ProductPath::integers : ProductPath::floats;
  op.fast = fast;
  op.products = products;
  return op;
}

std::vector<OpReport> three_layers() {
  return {{-1, "embed", "token_embd.weight", "q6_k", "decode_row", 0},
          {0, "rms_norm", "blk.0.attn_norm.weight", "", "elementwise.avx512", 0},
          product("blk.0.attn_q.weight", "q4_k", true, 100, 50),
          product("blk.1.attn_q.weight", "q6_k", true, 100, 75),
          product("blk.10.attn_q.weight", "q4_k", true, 100, 50),
          product("blk.10.ffn_down.weight", "f16", false, 40, 80),
          product("output.weight", "q6_k", true, 60, 45)};
}

std::vector<std::string> names(const std::vector<MatrixKernel>& matrices) {
  std::vector<std::string> out;
  for (const MatrixKernel& matrix : matrices) out.push_back(matrix.tensor);
  return out;
}

TEST(MatrixKernels, AreTheMatricesThatAreMultiplied) {
  EXPECT_THAT(names(matrix_kernels(three_layers())),
              ElementsAre("blk.0.attn_q.weight", "blk.1.attn_q.weight", "blk.10.attn_q.weight",
                          "blk.10.ffn_down.weight", "output.weight"));
}

TEST(MatrixKernels, OneRowForThoseThatDifferInTheLayerAlone) {
  const auto kinds = by_kind(matrix_kernels(three_layers()));
  EXPECT_THAT(names(kinds), ElementsAre("blk.*.attn_q.weight", "blk.*.attn_q.weight",
                                        "blk.*.ffn_down.weight", "output.weight"));
  EXPECT_EQ(kinds[0].type, "q4_k");
  EXPECT_EQ(kinds[0].count, 2u);
  EXPECT_EQ(kinds[0].products, 200u);
  EXPECT_EQ(kinds[0].bytes, 100u);
  EXPECT_EQ(kinds[1].type, "q6_k");
  EXPECT_EQ(kinds[1].count, 1u);
}

TEST(MatrixKernels, NamesWithoutALayerStayAsTheyAre) {
  for (const char* name : {"blk.", "blk.x.y", "blk.3", "output.weight"}) {
    const OpReport op = product(name, "q8_0", true, 1, 1);
    EXPECT_THAT(names(by_kind(matrix_kernels(std::span(&op, 1)))), ElementsAre(name));
  }
}

TEST(MatrixKernels, SharesAreOfProductsAndOfBytes) {
  const FastShare share = fast_share(matrix_kernels(three_layers()));
  EXPECT_DOUBLE_EQ(share.products, 360.0 / 400.0);
  EXPECT_DOUBLE_EQ(share.bytes, 220.0 / 300.0);
  EXPECT_EQ(fast_share({}).products, 0.0);
}

}  // namespace
}  // namespace premise
