// How keys and values are rounded to a Q8_0 cache, by each instruction set: within the bound of
// contracts/attention.h, to the bytes of the reference, and nowhere else.
#include <limits>
#include <string>

#include "numerics/kernels/attention_testing.h"

namespace premise {
namespace {

using namespace testing_attention;

/// How a Q8_0 cache rounds, by instruction set.
class EightBitCache : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (GetParam() > widest_isa()) GTEST_SKIP() << "this machine does not offer it";
  }
  struct Written {
    std::vector<std::byte> keys, values;
    bool operator==(const Written&) const = default;
  };
  /// Blocks of 32 positions, garbage but for `row` at `place`, as a key, and reversed, as a value.
  static Written write(Isa isa, const std::vector<float>& row, int place) {
    Written to;
    to.keys.assign(cache_bytes(DType::q8_0, 32 * row.size()), garbage);
    to.values = to.keys;
    const std::vector<float> reversed(row.rbegin(), row.rend());
    attention_kernel(isa, DType::q8_0)
        ->write(row.data(), reversed.data(), static_cast<std::int32_t>(row.size()), place,
                to.keys.data(), to.values.data());
    return to;
  }
};

/// Rows of 96 numbers over all magnitudes that a scale can have, and beyond.
std::vector<std::vector<float>> rows_of_all_magnitudes() {
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0, 1);
  std::vector<std::vector<float>> rows;
  for (int power = -150; power <= 23; ++power) {
    std::vector<float>& row = rows.emplace_back(96);
    for (float& x : row) x = std::ldexp(normal(random), power - 3);
    if (power % 3 == 0) std::fill_n(row.begin(), 32, 0.0f);
    if (power % 4 == 0) std::fill_n(row.begin() + 32, 31, -0.0f);
    // Quotients halfway between codes.
    if (power % 5 == 0)
      for (int i = 0; i < 32; ++i) row[i] = std::ldexp(i == 0 ? 127.0f : i + 0.5f, power - 8);
  }
  return rows;
}

TEST_P(EightBitCache, RoundsWithinHalfOfTheLeastScaleThatReaches) {
  for (const std::vector<float>& row : rows_of_all_magnitudes()) {
    const Written to = write(GetParam(), row, 3);
    for (std::size_t d = 0; d < row.size(); ++d) {
      const auto group = row.begin() + static_cast<std::ptrdiff_t>(d / 32 * 32);
      float most = 0;
      for (auto x = group; x != group + 32; ++x) most = std::max(most, std::abs(*x));
      const std::uint16_t half = scale_at(to.keys.data(), d, 3);
      const float scale = f16_to_f32(half);
      ASSERT_GE(scale, most / 127);
      if (half > 0) {
        ASSERT_LT(f16_to_f32(half - 1), most / 127);
      }
      const std::size_t tile = row.size();  // bytes of scales
      const auto code = static_cast<std::int8_t>(to.keys[tile + d * 16 + 3]);
      ASSERT_GE(code, -127);
      // The quotient is rounded before it becomes a whole number: 2^-24 of 127 steps at most. Of
      // numbers below 2^-143 the scale itself is rounded to 0.
      const double most_off = scale * (0.5 + 0x1p-17) + 0x1p-143;
      ASSERT_LE(std::abs(double{scale} * code - row[d]), most_off) << row[d];
    }
  }
}

TEST_P(EightBitCache, WritesTheBytesOfTheReferenceToOnePlaceAndTouchesNoOther) {
  const float infinity = std::numeric_limits<float>::infinity();
  std::vector<std::vector<float>> rows = rows_of_all_magnitudes();
  for (const float odd :
       {infinity, -infinity, std::nanf(""), 127.0f * 65504, 8.32e6f, -3e38f, 1e-45f})
    for (const std::size_t at : {0, 17, 50, 95}) {
      rows.push_back(rows[150]);
      rows.back()[at] = odd;
    }
  for (const std::vector<float>& row : rows)
    for (const int place : {0, 5, 15, 16, 31})
      ASSERT_EQ(write(GetParam(), row, place), write(Isa::ref, row, place)) << place;
  const Written to = write(GetParam(), rows[150], 21);
  for (const auto* bytes : {&to.keys, &to.values}) {
    const auto untouched = static_cast<std::size_t>(std::ranges::count(*bytes, garbage));
    EXPECT_GE(untouched, bytes->size() - 3 * 34) << "96 codes and 3 scales were due";
  }
}

TEST_P(EightBitCache, WhatIsNoNumberMakesItsThirtyTwoNoNumber) {
  for (const float odd : {std::numeric_limits<float>::infinity(), std::nanf(""), 9e6f}) {
    std::vector<float> row(96, 1.0f);
    row[40] = odd;
    const Written to = write(GetParam(), row, 0);
    for (std::size_t d = 0; d < row.size(); ++d) {
      const float read = scaled_value(to.values.data(), row.size(), row.size() - 1 - d);
      EXPECT_EQ(std::isnan(read), d / 32 == 1) << d;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, EightBitCache, testing::Values(Isa::ref, Isa::avx2, Isa::avx512),
                         [](const auto& each) { return std::string(name_of(each.param)); });

}  // namespace
}  // namespace premise
