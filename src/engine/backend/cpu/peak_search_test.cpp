// The peak that is found is that of the exact products: of the same bits, and the same token.
#include "engine/backend/cpu/peak_search.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "numerics/kernels/matmul_testing.h"

namespace premise {
namespace {

using namespace matmul_testing;

constexpr float infinite = std::numeric_limits<float>::infinity();

class PeakSearchTest : public ::testing::Test {
 protected:
  static constexpr std::size_t rows_max = 24;

  void SetUp() override {
    if (widest_isa() < Isa::avx512) GTEST_SKIP() << "this processor has no AVX-512 VNNI";
  }

  std::vector<Peak> found(const Packed& head, const Input& input, std::size_t first,
                          std::size_t count) {
    auto made = PeakSearch::create(head.matrix, Isa::avx512, rows_max, team_);
    EXPECT_TRUE(made.ok() && *made != nullptr);
    PeakSearch& search = **made;
    search.begin(input.activations.quantized, first, count);
    team_.run([&](int thread) {
      const AlignedBytes scratch(matmul_kernel(Isa::avx512, head.matrix.layout)->scratch_bytes);
      search.coarsen(thread);
      team_.barrier();
      search.bound(thread, scratch.data());
      team_.barrier();
      search.settle(thread, scratch.data());
    });
    const auto peaks = search.collect();
    return {peaks.begin(), peaks.end()};
  }

  static std::vector<Peak> exact(const Packed& head, const Input& input, std::size_t first,
                                 std::size_t count) {
    std::vector<float> y = multiply(*matmul_kernel(Isa::avx512, head.matrix.layout), head.matrix,
                                    input.activations, first + count);
    std::vector<Peak> peaks;
    for (std::size_t row = first; row < first + count; ++row)
      peaks.push_back(finite_peak(std::span(y).subspan(row * head.matrix.rows, head.matrix.rows)));
    return peaks;
  }

  void expect_exact(const Packed& head, std::span<const float> x, std::size_t first,
                    std::size_t count) {
    const Input input = quantize(Isa::avx512, x, first + count, head.matrix.columns);
    const auto expected = exact(head, input, first, count);
    const auto actual = found(head, input, first, count);
    ASSERT_EQ(actual.size(), count);
    for (std::size_t row = 0; row < count; ++row) {
      EXPECT_EQ(actual[row].token, expected[row].token) << row << " of " << count;
      EXPECT_EQ(actual[row].logit, expected[row].logit) << row << " of " << count;
    }
  }

  ThreadTeam team_{3};
  Random random_{21};
};

TEST_F(PeakSearchTest, FindsWhatTheWholeRowWouldShow) {
  for (const DType type : {DType::q8_0, DType::q6_k, DType::q5_0, DType::q4_0})
    for (const std::uint64_t rows : {1u, 16u, 70u, 2000u})
      for (const std::size_t count : {1u, 4u, 5u, 16u, 24u}) {
        const RandomTensor source = random_tensor(type, rows, 512, random_);
        const Packed head = pack(source.view);
        expect_exact(head, random_activations(count * 512, random_), 0, count);
      }
}

TEST_F(PeakSearchTest, BeginsBehindTheWholeRows) {
  const RandomTensor source = random_tensor(DType::q8_0, 300, 64, random_);
  const Packed head = pack(source.view);
  const auto x = random_activations(20 * 64, random_);
  expect_exact(head, x, 3, 17);
  expect_exact(head, x, 17, 3);
}

TEST_F(PeakSearchTest, OfEqualProductsTheFirstCounts) {
  RandomTensor source = random_tensor(DType::q8_0, 4, 64, random_);
  const std::size_t row_size = source.bytes.size() / 4;
  std::vector<std::byte> repeated;
  for (int i = 0; i < 100; ++i)  // the same row 400 times
    for (int copy = 0; copy < 4; ++copy)
      repeated.insert(repeated.end(), source.bytes.begin(),
                      source.bytes.begin() + static_cast<std::ptrdiff_t>(row_size));
  source.bytes = repeated;
  source.view.bytes = source.bytes;
  source.view.shape.dims = {400, 64, 1, 1};
  const Packed head = pack(source.view);
  for (const std::size_t count : {1u, 8u}) {
    const Input input = quantize(Isa::avx512, random_activations(count * 64, random_), count, 64);
    for (const Peak& peak : found(head, input, 0, count)) EXPECT_EQ(peak.token, 0u);
  }
}

TEST_F(PeakSearchTest, WhatOverflowsOrIsNoNumberIsNoPeak) {
  const RandomTensor source = random_tensor(DType::q8_0, 500, 64, random_);
  const Packed head = pack(source.view);
  for (const float bad : {1e30f, 3e38f, infinite, std::nanf("")}) {
    auto x = random_activations(8 * 64, random_);
    for (std::size_t i = 64; i < 128; ++i) x[i] *= bad;  // the second row alone
    expect_exact(head, x, 0, 8);
    expect_exact(head, x, 0, 2);
  }
  auto x = random_activations(8 * 64, random_);
  x[70] = std::nanf("");
  const auto peaks = found(head, quantize(Isa::avx512, x, 8, 64), 0, 8);
  EXPECT_EQ(peaks[1].logit, -infinite);
  EXPECT_GT(peaks[0].logit, -infinite);
}

// A scale that is no number makes every bound void: such a head is multiplied as it is.
TEST_F(PeakSearchTest, AHeadWithBrokenScalesIsNotSearched) {
  RandomTensor source = random_tensor(DType::q8_0, 20, 64, random_);
  const std::uint16_t nan = 0x7e00;
  std::memcpy(source.bytes.data() + 5 * source.bytes.size() / 20, &nan, sizeof nan);
  const Packed head = pack(source.view);
  const auto made = PeakSearch::create(head.matrix, Isa::avx512, rows_max, team_);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(*made, nullptr);
}

}  // namespace
}  // namespace premise
