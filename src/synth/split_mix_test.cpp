#include "synth/split_mix.h"

#include <gtest/gtest.h>

#include <cmath>

namespace premise {
namespace {

// The first numbers of the authors' splitmix64.c from seed 1234567.
TEST(SplitMix64, GivesTheNumbersOfItsAuthors) {
  SplitMix64 random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317u);
  EXPECT_EQ(random.next(), 3203168211198807973u);
  EXPECT_EQ(random.next(), 9817491932198370423u);
}

TEST(SplitMix64, CountsBelowABoundAreAllMetAndNoneBeyond) {
  SplitMix64 random(1);
  int seen[5] = {};
  for (int i = 0; i < 10'000; ++i) {
    const std::size_t value = random.below(5);
    ASSERT_LT(value, 5u);
    ++seen[value];
  }
  for (const int count : seen) EXPECT_NEAR(count, 2000, 200);
}

TEST(SplitMix64, NormalNumbersHaveMeanNoughtAndDeviationOne) {
  SplitMix64 random(2);
  double sum = 0.0, squares = 0.0;
  int beyond_two = 0;
  constexpr int count = 100'000;
  for (int i = 0; i < count; ++i) {
    const double value = static_cast<double>(random.normal());
    sum += value;
    squares += value * value;
    beyond_two += std::abs(value) > 2.0 ? 1 : 0;
  }
  EXPECT_NEAR(sum / count, 0.0, 0.01);
  EXPECT_NEAR(squares / count, 1.0, 0.02);
  EXPECT_NEAR(static_cast<double>(beyond_two) / count, 0.0455, 0.004);  // of a normal distribution
}

}  // namespace
}  // namespace premise
