// Multiplication on tiles, computed in software: every layout against double sums of the rounded
// operands. On a processor with tiles the same goes for its own.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "numerics/kernels/matmul_testing.h"
#include "numerics/kernels/usable_isa.h"

namespace premise {
namespace {

using namespace matmul_testing;

std::vector<Isa> tile_isas() {
  std::vector<Isa> out;
  for (const Isa isa : {Isa::amx_emulated, Isa::amx})
    if (offers(isa)) out.push_back(isa);
  return out;
}

const MatmulKernel& kernel_of(Isa isa, DType dtype) {
  return *tile_kernel(isa, packed_format(dtype)->layout);
}

struct Rounded {
  AlignedBytes memory;
  Activations activations;
};

/// What is behind the rows is 0xAA: it may not show.
Rounded in_tiles(std::span<const float> x, std::size_t rows, std::size_t columns) {
  AlignedBytes memory(tile_rows_bytes(rows, columns));
  const TileRows tiles = tile_rows_at(memory.data(), columns);
  for (std::size_t r = 0; r < rows; ++r)
    round_kernel().run(x.data() + r * columns, columns, tiles, r);
  return {std::move(memory), {nullptr, 0, {}, tiles}};
}

double as_bf16(float value) { return bf16_to_f32(f32_to_bf16(value)); }

class MatmulOnTiles : public testing::TestWithParam<DType> {
 protected:
  void SetUp() override {
    if (tile_isas().empty()) GTEST_SKIP() << "this machine lacks AVX512-BF16";
  }
  std::uint64_t whole_blocks(std::uint64_t columns) const {
    const std::uint64_t block = traits(GetParam()).block_elements;
    return (columns + block - 1) / block * block;
  }
  Random random_{21};
};

struct Size {
  std::uint64_t rows;
  std::uint64_t columns;  // rounded up to the type's blocks
  std::size_t tokens;
};

// Rows around panels, their pairs and groups of those; columns around steps, chunks and blocks of
// 512; tokens around tiles, pairs of them and blocks of 512.
std::vector<Size> sizes() {
  std::vector<Size> out;
  for (std::uint64_t rows = 1; rows <= 70; rows += 3) out.push_back({rows, 96, 1 + rows % 37});
  for (const std::size_t tokens : {1u, 2u, 15u, 16u, 17u, 31u, 32u, 33u, 48u, 63u, 65u, 129u, 130u})
    out.push_back({37, 64, tokens});
  for (const std::uint64_t columns : {32u, 224u, 256u, 288u, 512u, 544u, 640u, 1024u, 1056u})
    out.push_back({20, columns, 19});
  out.push_back({300, 64, 40});   // more than eight pairs of panels
  out.push_back({17, 544, 530});  // more than 512 tokens
  return out;
}

/// Each step rounds 16 fused products twice over, their sum and that to the tile.
double rounding(std::uint64_t columns) {
  return 0x1p-24 * static_cast<double>(18 + (columns + 31) / 32);
}

void expect_near_oracle(const Packed& packed, std::span<const float> x, std::size_t tokens,
                        std::span<const float> y, const char* kernel) {
  const std::uint64_t rows = packed.matrix.rows;
  const std::uint64_t columns = packed.matrix.columns;
  std::vector<float> w(columns);
  for (std::uint64_t row = 0; row < rows; ++row) {
    decode_row(packed.matrix, row, w.data());
    for (std::size_t t = 0; t < tokens; ++t) {
      double sum = 0, magnitude = 0;
      for (std::uint64_t k = 0; k < columns; ++k) {
        const double product = as_bf16(w[k]) * as_bf16(x[t * columns + k]);
        sum += product;
        magnitude += std::abs(product);
      }
      ASSERT_NEAR(y[t * rows + row], sum, magnitude * rounding(columns) + 1e-30)
          << kernel << " " << traits(packed.matrix.dtype).name << " [" << rows << ", " << columns
          << "] x " << tokens << " row " << row << " token " << t;
    }
  }
}

TEST_P(MatmulOnTiles, IsTheSumOfRoundedProducts) {
  for (const Size& size : sizes()) {
    const std::uint64_t columns = whole_blocks(size.columns);
    const RandomTensor source = random_tensor(GetParam(), size.rows, columns, random_);
    const Packed packed = pack(source.view);
    const std::vector<float> x = random_activations(size.tokens * columns, random_);
    const Rounded input = in_tiles(x, size.tokens, columns);
    for (const Isa isa : tile_isas()) {
      const MatmulKernel& kernel = kernel_of(isa, GetParam());
      expect_near_oracle(packed, x, size.tokens,
                         multiply(kernel, packed.matrix, input.activations, size.tokens),
                         kernel.name);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(MatmulOnTiles, ARowDoesNotDependOnItsCompanyOrOnTheCutOfThePanels) {
  const std::uint64_t columns = whole_blocks(608);
  constexpr std::uint64_t rows = 90;
  constexpr std::size_t tokens = 53;
  const RandomTensor source = random_tensor(GetParam(), rows, columns, random_);
  const Packed packed = pack(source.view);
  const std::vector<float> x = random_activations(tokens * columns, random_);
  const Rounded all = in_tiles(x, tokens, columns);
  for (const Isa isa : tile_isas()) {
    const MatmulKernel& kernel = kernel_of(isa, GetParam());
    const std::vector<float> whole = multiply(kernel, packed.matrix, all.activations, tokens);
    const AlignedBytes scratch(kernel.scratch_bytes);
    std::vector<float> y(tokens * rows, -1.0f);
    for (const auto& [begin, end] : {std::pair{0u, 1u}, {1u, 4u}, {4u, 6u}})
      kernel.run(packed.matrix, begin, end, all.activations, tokens, y.data(), rows,
                 scratch.data());
    EXPECT_EQ(y, whole) << kernel.name;
    for (const auto& [first, count] :
         {std::pair<std::size_t, std::size_t>{0, 1}, {7, 20}, {52, 1}}) {
      const Rounded some =
          in_tiles(std::span(x).subspan(first * columns, count * columns), count, columns);
      const std::vector<float> part = multiply(kernel, packed.matrix, some.activations, count);
      EXPECT_TRUE(
          std::equal(part.begin(), part.end(), whole.begin() + static_cast<long>(first * rows)))
          << kernel.name << " tokens from " << first;
    }
  }
}

TEST_P(MatmulOnTiles, WritesItsOwnRowsOnly) {
  const std::uint64_t columns = whole_blocks(64);
  constexpr std::uint64_t rows = 37;
  constexpr std::size_t stride = 64, tokens = 18;
  const RandomTensor source = random_tensor(GetParam(), rows, columns, random_);
  const Packed packed = pack(source.view);
  const std::vector<float> x = random_activations(tokens * columns, random_);
  const Rounded input = in_tiles(x, tokens, columns);
  for (const Isa isa : tile_isas()) {
    const MatmulKernel& kernel = kernel_of(isa, GetParam());
    const AlignedBytes scratch(kernel.scratch_bytes);
    std::vector<float> y((tokens + 1) * stride, 77.0f);
    kernel.run(packed.matrix, 1, 3, input.activations, tokens, y.data(), stride, scratch.data());
    for (std::size_t t = 0; t <= tokens; ++t)
      for (std::size_t r = 0; r < stride; ++r)
        EXPECT_EQ(y[t * stride + r] != 77.0f, t < tokens && r >= 16 && r < rows)
            << kernel.name << " token " << t << " row " << r;
  }
}

TEST_P(MatmulOnTiles, BadActivationsShowInTheResultOfTheirRow) {
  const std::uint64_t columns = whole_blocks(96);
  constexpr std::uint64_t rows = 20;
  constexpr std::size_t tokens = 18;
  const RandomTensor source = random_tensor(GetParam(), rows, columns, random_);
  const Packed packed = pack(source.view);
  std::vector<float> x = random_activations(tokens * columns, random_);
  x[2 * columns + 5] = std::numeric_limits<float>::quiet_NaN();
  x[5 * columns + 40] = std::numeric_limits<float>::infinity();
  const Rounded input = in_tiles(x, tokens, columns);
  for (const Isa isa : tile_isas()) {
    const MatmulKernel& kernel = kernel_of(isa, GetParam());
    const std::vector<float> y = multiply(kernel, packed.matrix, input.activations, tokens);
    for (std::size_t t = 0; t < tokens; ++t)
      for (std::uint64_t r = 0; r < rows; ++r)
        EXPECT_EQ(std::isfinite(y[t * rows + r]), t != 2 && t != 5)
            << kernel.name << " token " << t;
  }
}

INSTANTIATE_TEST_SUITE_P(Types, MatmulOnTiles, testing::ValuesIn(computed_dtypes()),
                         [](const auto& info) { return std::string(traits(info.param).name); });

// Plain numbers come in any width.
TEST(MatmulTiles, TakeColumnsThatFillNoStep) {
  if (tile_isas().empty()) GTEST_SKIP() << "this machine lacks AVX512-BF16";
  Random random(22);
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16})
    for (const std::uint64_t columns : {1u, 2u, 15u, 17u, 31u, 33u, 513u}) {
      const RandomTensor source = random_tensor(dtype, 19, columns, random);
      const Packed packed = pack(source.view);
      const std::vector<float> x = random_activations(21 * columns, random);
      const Rounded input = in_tiles(x, 21, columns);
      for (const Isa isa : tile_isas()) {
        const MatmulKernel& kernel = kernel_of(isa, dtype);
        expect_near_oracle(packed, x, 21, multiply(kernel, packed.matrix, input.activations, 21),
                           kernel.name);
        if (testing::Test::HasFatalFailure()) return;
      }
    }
}

TEST(MatmulTiles, KernelsCarryTheirNamesAndOnlySetsWithTilesHaveThem) {
  for (int index = 0; index <= static_cast<int>(Layout::t4); ++index) {
    const auto layout = static_cast<Layout>(index);
    for (const Isa isa : {Isa::amx_emulated, Isa::amx}) {
      EXPECT_EQ(tile_kernel(isa, layout)->name,
                fmt::format("matmul.{}.{}", name_of(layout), name_of(isa)));
      EXPECT_EQ(tile_kernel(isa, layout)->activations, ActivationKind::bf16);
      EXPECT_EQ(matmul_kernel(isa, layout), matmul_kernel(Isa::avx512, layout));
    }
    for (const Isa isa : {Isa::ref, Isa::avx2, Isa::avx512})
      EXPECT_EQ(tile_kernel(isa, layout), nullptr);
  }
}

// The check at the start must see a kernel that is wrong in one place of many.
constinit MatmulKernel one_wrong_sum = {
    "wrong", ActivationKind::bf16, 64,
    [](const PackedMatrix& w, std::uint64_t begin, std::uint64_t end, const Activations& input,
       std::size_t count, float* y, std::size_t stride, void*) {
      const MatmulKernel& right = *tile_kernel(Isa::amx_emulated, Layout::bf16);
      const AlignedBytes scratch(right.scratch_bytes);
      right.run(w, begin, end, input, count, y, stride, scratch.data());
      y[36 * stride + 39] += 1.0f;
    }};

TEST(UsableIsa, TheCheckSeesOneWrongSum) {
  if (tile_isas().empty()) GTEST_SKIP() << "this machine lacks AVX512-BF16";
  const MatmulKernel& right = *tile_kernel(Isa::amx_emulated, Layout::bf16);
  EXPECT_TRUE(same_product(right, right));
  EXPECT_FALSE(same_product(one_wrong_sum, right));
}

TEST(UsableIsa, AFaultOfTheCheckIsANo) {
  EXPECT_TRUE(holds_in_child([] { return true; }));
  EXPECT_FALSE(holds_in_child([] { return false; }));
  EXPECT_FALSE(holds_in_child([]() -> bool { __builtin_trap(); }));
}

TEST(UsableIsa, TilesThatComputeWronglyAreLeftWithAWordOrRefused) {
  const auto left = usable_isa(std::nullopt, Isa::amx, false);
  ASSERT_TRUE(left.ok());
  EXPECT_EQ(left->isa, Isa::avx512);
  ASSERT_TRUE(left->notice);
  EXPECT_NE(left->notice->en.find("AMX"), std::string::npos);
  EXPECT_NE(left->notice->zh.find("AMX"), std::string::npos);
  const auto refused = usable_isa("amx", Isa::amx, false);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::usage);
  const auto used = usable_isa(std::nullopt, Isa::amx, true);
  ASSERT_TRUE(used.ok());
  EXPECT_EQ(used->isa, Isa::amx);
  EXPECT_FALSE(used->notice);
}

}  // namespace
}  // namespace premise
