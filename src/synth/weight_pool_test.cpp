#include "synth/weight_pool.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "numerics/quant/decode.h"
#include "planning/weight_recipe.h"

namespace premise {
namespace {

constexpr float deviation = 0.02f;
constexpr std::size_t width = 512;

std::vector<float> drawn(DType dtype, std::size_t rows, std::uint64_t seed) {
  SplitMix64 random(seed);
  const auto pool = WeightPool::create(dtype, deviation, random);
  EXPECT_TRUE(pool.ok()) << pool.error().what.en;
  std::vector<std::byte> bytes(rows * *row_bytes(dtype, width));
  pool->draw(bytes, random);
  std::vector<float> values(rows * width);
  EXPECT_TRUE(decode_row(dtype, bytes, values).ok());
  return values;
}

// Two bits a weight lose a tenth of the deviation; none may lose or add more.
TEST(WeightPool, WeightsOfEveryTypeOfTheRecipesHaveTheSpread) {
  std::set<DType> types;
  for (const WeightRecipe& recipe : all_recipes())
    types.insert({recipe.base, recipe.output, recipe.value.richer, recipe.down.richer});
  EXPECT_GE(types.size(), 12u);
  for (const DType dtype : types) {
    double sum = 0.0, squares = 0.0;
    const std::vector<float> values = drawn(dtype, 64, 3);
    for (const float value : values) {
      ASSERT_TRUE(std::isfinite(value)) << traits(dtype).name;
      sum += static_cast<double>(value);
      squares += static_cast<double>(value) * static_cast<double>(value);
    }
    const auto count = static_cast<double>(values.size());
    EXPECT_NEAR(sum / count, 0.0, 0.001) << traits(dtype).name;
    EXPECT_NEAR(std::sqrt(squares / count), 0.02, 0.002) << traits(dtype).name;
  }
}

TEST(WeightPool, RowsOfTwoBlocksDiffer) {
  constexpr std::size_t rows = 2000;
  const std::vector<float> values = drawn(DType::q4_k, rows, 4);
  std::set<std::vector<float>> distinct;
  for (std::size_t r = 0; r < rows; ++r)
    distinct.insert({values.begin() + static_cast<std::ptrdiff_t>(r * width),
                     values.begin() + static_cast<std::ptrdiff_t>((r + 1) * width)});
  EXPECT_EQ(distinct.size(), rows);
}

TEST(WeightPool, ASeedReproducesAndAnotherDiffers) {
  EXPECT_EQ(drawn(DType::q8_0, 4, 5), drawn(DType::q8_0, 4, 5));
  EXPECT_NE(drawn(DType::q8_0, 4, 5), drawn(DType::q8_0, 4, 6));
}

TEST(WeightPool, ATypeThatIsNotComputedWithIsRefused) {
  SplitMix64 random(0);
  const auto pool = WeightPool::create(DType::i32, deviation, random);
  ASSERT_FALSE(pool.ok());
  EXPECT_EQ(pool.error().code, ErrorCode::bad_input);
}

}  // namespace
}  // namespace premise
