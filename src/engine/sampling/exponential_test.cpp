#include "engine/sampling/exponential.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace premise {
namespace {

float of(float x) { return exp_nonpositive(all_lanes(x))[2]; }

TEST(Exponential, is_right_to_two_parts_in_ten_million) {
  double worst = 0.0;
  for (float x = 0.0f; x >= least_exponent; x -= 0.000'7f) {
    const double expected = std::exp(static_cast<double>(x));
    worst = std::max(worst, std::abs(static_cast<double>(of(x)) - expected) / expected);
  }
  EXPECT_LT(worst, 2e-7);
}

TEST(Exponential, of_nothing_is_exactly_one) {
  EXPECT_EQ(of(0.0f), 1.0f);
  EXPECT_EQ(of(-0.0f), 1.0f);
}

TEST(Exponential, ends_in_zero) {
  EXPECT_GT(of(least_exponent), 0.0f);
  EXPECT_EQ(of(std::nextafter(least_exponent, -100.0f)), 0.0f);
  EXPECT_EQ(of(-std::numeric_limits<float>::max()), 0.0f);
  EXPECT_EQ(of(-std::numeric_limits<float>::infinity()), 0.0f);
  EXPECT_EQ(of(std::numeric_limits<float>::quiet_NaN()), 0.0f);
}

TEST(Exponential, never_falls_when_its_argument_rises) {
  float last = 0.0f;
  for (float x = least_exponent; x <= 0.0f; x += 0.001f) {
    EXPECT_GE(of(x), last) << x;
    last = of(x);
  }
}

TEST(Exponential, lanes_do_not_disturb_each_other) {
  const Floats four = exp_nonpositive(Floats{-1.0f, -90.0f, -3.5f, 0.0f});
  EXPECT_EQ(four[0], of(-1.0f));
  EXPECT_EQ(four[1], 0.0f);
  EXPECT_EQ(four[2], of(-3.5f));
  EXPECT_EQ(four[3], 1.0f);
}

}  // namespace
}  // namespace premise
