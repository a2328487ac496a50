// Bounds of coarse products: they hold for every exact product, and they are narrow.
#include "numerics/kernels/peak.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "numerics/kernels/matmul_testing.h"
#include "numerics/quant/decode.h"

namespace premise {
namespace {

using namespace matmul_testing;

constexpr float infinity = std::numeric_limits<float>::infinity();

struct Coarsened {
  AlignedBytes memory;
  CoarseRows rows;
};

Coarsened coarsened(const Input& input, std::size_t count, std::size_t columns) {
  AlignedBytes memory(coarse_bytes(count, columns));
  const CoarseRows rows = coarse_rows_at(memory.data(), count, columns);
  for (std::size_t i = 0; i < count; ++i) coarsen(input.activations.quantized, i, columns, rows, i);
  return {std::move(memory), rows};
}

/// Many values near zero beside a few large ones, as hidden states of language models are.
std::vector<float> uneven_activations(std::size_t count, Random& random) {
  std::vector<float> x = random_activations(count, random);
  for (std::size_t i = 0; i < count; i += 37) x[i] *= 50.0f;
  return x;
}

class PeakOfType : public testing::TestWithParam<DType> {
 protected:
  void SetUp() override {
    if (widest_isa() < Isa::avx512) GTEST_SKIP() << "this processor has no AVX-512 VNNI";
  }

  struct Bounds {
    std::vector<float> upper;  // [tokens][blocks]
    std::vector<float> lower;  // [tokens]
  };

  static Bounds bounds(const PackedMatrix& w, const CoarseRows& x, std::size_t tokens) {
    const PeakKernel& kernel = *peak_kernel(Isa::avx512, w);
    const std::vector<float> norms = norms_of(w);
    const std::uint64_t blocks = peak_block_count(w.rows);
    Bounds out{std::vector<float>(tokens * blocks), std::vector<float>(tokens, -infinity)};
    // In two parts, as two threads would.
    const std::uint64_t middle = blocks / 2;
    std::vector<float> other = out.lower;
    kernel.bound(w, norms.data(), 0, middle, x, tokens, out.upper.data(), blocks, out.lower.data());
    kernel.bound(w, norms.data(), middle, blocks, x, tokens, out.upper.data(), blocks,
                 other.data());
    for (std::size_t t = 0; t < tokens; ++t) out.lower[t] = std::max(out.lower[t], other[t]);
    return out;
  }

  static std::vector<float> norms_of(const PackedMatrix& w) {
    std::vector<float> norms(panel_count(w.rows) * 16, -1.0f);
    peak_kernel(Isa::avx512, w)->norms(w, 0, panel_count(w.rows), norms.data());
    return norms;
  }
};

TEST_P(PeakOfType, EveryExactProductLiesWithinTheBounds) {
  Random random(7);
  for (const std::uint64_t rows : {1u, 15u, 16u, 17u, 63u, 64u, 65u, 200u, 1000u}) {
    for (const std::uint64_t columns : {256u, 512u, 768u}) {
      const std::size_t tokens = 1 + (rows + columns / 256) % 17;
      const RandomTensor source = random_tensor(GetParam(), rows, columns, random);
      const Packed packed = pack(source.view);
      const std::vector<float> x = uneven_activations(tokens * columns, random);
      const Input input = quantize(Isa::avx512, x, tokens, columns);
      const Coarsened coarse = coarsened(input, tokens, columns);
      const Bounds found = bounds(packed.matrix, coarse.rows, tokens);
      const auto exact = multiply(*matmul_kernel(Isa::avx512, packed.matrix.layout), packed.matrix,
                                  input.activations, tokens);
      const std::uint64_t blocks = peak_block_count(rows);
      for (std::size_t t = 0; t < tokens; ++t) {
        float largest = -infinity;
        for (std::uint64_t r = 0; r < rows; ++r) {
          const float y = exact[t * rows + r];
          ASSERT_LE(y, found.upper[t * blocks + r / 64]) << rows << "x" << columns << " at " << r;
          largest = std::max(largest, y);
        }
        ASSERT_LE(found.lower[t], largest) << rows << "x" << columns << " token " << t;
      }
    }
  }
}

// A bound that is always right and never narrow would leave every panel to the exact kernel.
TEST_P(PeakOfType, BoundsAreNarrow) {
  Random random(8);
  constexpr std::uint64_t rows = 640, columns = 1024;
  const RandomTensor source = random_tensor(GetParam(), rows, columns, random);
  const Packed packed = pack(source.view);
  const std::vector<float> x = uneven_activations(columns, random);
  const Input input = quantize(Isa::avx512, x, 1, columns);
  const Coarsened coarse = coarsened(input, 1, columns);
  double squares = 0.0;
  for (const float value : x) squares += double{value} * value;
  EXPECT_LT(coarse.rows.slack[0], 0.02 * std::sqrt(squares));
  const Bounds found = bounds(packed.matrix, coarse.rows, 1);
  const auto exact = multiply(*matmul_kernel(Isa::avx512, packed.matrix.layout), packed.matrix,
                              input.activations, 1);
  const auto norms = norms_of(packed.matrix);
  const float widest = *std::ranges::max_element(norms) * coarse.rows.slack[0];
  EXPECT_GE(found.lower[0], *std::ranges::max_element(exact) - 2.001f * widest);
  for (std::uint64_t block = 0; block < rows / 64; ++block) {
    const auto part = std::span(exact).subspan(block * 64, 64);
    EXPECT_LE(found.upper[block], *std::ranges::max_element(part) + 2.001f * widest);
  }
}

TEST_P(PeakOfType, NormsAreThoseOfTheRows) {
  Random random(9);
  constexpr std::uint64_t rows = 50, columns = 512;
  const RandomTensor source = random_tensor(GetParam(), rows, columns, random);
  const Packed packed = pack(source.view);
  const auto norms = norms_of(packed.matrix);
  std::vector<float> row(columns);
  for (std::uint64_t r = 0; r < rows; ++r) {
    decode_row(packed.matrix, r, row.data());
    double squares = 0.0;
    for (const float value : row) squares += double{value} * value;
    EXPECT_GE(norms[r], std::sqrt(squares));
    EXPECT_LE(norms[r], 1.002 * std::sqrt(squares) + 1e-30);
  }
  for (std::size_t r = rows; r < norms.size(); ++r) EXPECT_EQ(norms[r], 0.0f);
}

// The rows that fill up the last panel give products of 0, which nobody asked for.
TEST_P(PeakOfType, RowsThatDoNotExistHaveNoBound) {
  Random random(10);
  constexpr std::uint64_t columns = 256;
  RandomTensor source = random_tensor(GetParam(), 1, columns, random);
  const Packed packed = pack(source.view);
  std::vector<float> x(columns);
  decode_row(packed.matrix, 0, x.data());
  for (float& value : x) value = -value;  // the product is −‖row‖²
  const Input input = quantize(Isa::avx512, x, 1, columns);
  const Coarsened coarse = coarsened(input, 1, columns);
  const Bounds found = bounds(packed.matrix, coarse.rows, 1);
  EXPECT_LT(found.upper[0], 0.0f);
  EXPECT_LT(found.lower[0], found.upper[0]);
}

std::string type_name(const testing::TestParamInfo<DType>& info) {
  return std::string(traits(info.param).name);
}
INSTANTIATE_TEST_SUITE_P(Types, PeakOfType,
                         testing::Values(DType::q4_0, DType::q5_0, DType::q6_k, DType::q8_0),
                         type_name);

TEST(CoarseRows, RestoreTheUpperBytes) {
  Random random(11);
  constexpr std::size_t columns = 64;
  std::vector<float> x = uneven_activations(columns, random);
  const Input input = quantize(Isa::ref, x, 1, columns);
  const Coarsened coarse = coarsened(input, 1, columns);
  for (std::size_t c = 0; c < columns; ++c) {
    const float step = coarse.rows.scales[c / 32];
    EXPECT_NEAR(static_cast<float>(coarse.rows.codes[c]) * step, x[c], 0.51f * step) << c;
  }
}

TEST(CoarseRows, WhatIsNotANumberHasNoFiniteSlack) {
  for (const float bad : {infinity, -infinity, std::numeric_limits<float>::quiet_NaN()}) {
    std::vector<float> x(64, 1.0f);
    x[40] = bad;
    const Input input = quantize(Isa::ref, x, 1, 64);
    EXPECT_FALSE(std::isfinite(coarsened(input, 1, 64).rows.slack[0]));
  }
}

TEST(PeakKernel, IsThereForTheTypesOfOutputHeadsAlone) {
  const auto kernel = [](DType dtype, Isa isa) {
    return peak_kernel(isa, view_of(dtype, 16, 256, nullptr));
  };
  EXPECT_NE(kernel(DType::q8_0, Isa::avx512), nullptr);
  EXPECT_EQ(kernel(DType::q8_0, Isa::avx2), nullptr);
  EXPECT_EQ(kernel(DType::q4_k, Isa::avx512), nullptr);  // minimums are not bounded
  EXPECT_EQ(kernel(DType::f16, Isa::avx512), nullptr);
}

}  // namespace
}  // namespace premise
