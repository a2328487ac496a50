#include "numerics/quant/half.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "numerics/quant/golden_for_test.h"

namespace premise {
namespace {

std::uint32_t bits_of(float value) { return std::bit_cast<std::uint32_t>(value); }

// IEEE 754-2019, section 3.4, spelled out: the value of a binary16 pattern that is no NaN.
float f16_by_definition(std::uint16_t half) {
  const int exponent = (half >> 10) & 31;
  const int fraction = half & 0x3ff;
  float magnitude = std::numeric_limits<float>::infinity();
  if (exponent == 0)
    magnitude = std::ldexp(static_cast<float>(fraction), -24);
  else if (exponent < 31)
    magnitude = std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
  return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

bool f16_is_nan(std::uint16_t half) { return (half & 0x7fffu) > 0x7c00u; }

TEST(F16, every_pattern_decodes_to_its_ieee_value) {
  for (std::uint32_t half = 0; half <= 0xffff; ++half) {
    const auto pattern = static_cast<std::uint16_t>(half);
    if (f16_is_nan(pattern)) continue;
    ASSERT_EQ(bits_of(f16_to_f32(pattern)), bits_of(f16_by_definition(pattern))) << half;
  }
}

TEST(F16, every_pattern_survives_the_way_to_f32_and_back) {
  for (std::uint32_t half = 0; half <= 0xffff; ++half) {
    const auto pattern = static_cast<std::uint16_t>(half);
    const auto quiet = static_cast<std::uint16_t>(f16_is_nan(pattern) ? pattern | 0x200 : pattern);
    ASSERT_EQ(f32_to_f16(f16_to_f32(pattern)), quiet) << half;
  }
}

TEST(F16, nan_stays_a_quiet_nan_of_the_same_sign) {
  for (std::uint32_t half = 0x7c01; half <= 0x7fff; ++half) {
    const std::uint32_t bits = bits_of(f16_to_f32(static_cast<std::uint16_t>(half)));
    ASSERT_EQ(bits, 0x7fc00000u | ((half & 0x3ff) << 13));
    ASSERT_EQ(bits_of(f16_to_f32(static_cast<std::uint16_t>(half | 0x8000u))), bits | 0x80000000u);
  }
  EXPECT_EQ(f32_to_f16(std::bit_cast<float>(0x7f800001u)), 0x7e00);
  EXPECT_EQ(f32_to_f16(std::bit_cast<float>(0xffffffffu)), 0xffff);
}

TEST(Bf16, every_pattern_decodes_to_the_upper_half_of_f32_and_back) {
  for (std::uint32_t bits = 0; bits <= 0xffff; ++bits) {
    const auto pattern = static_cast<std::uint16_t>(bits);
    const float value = bf16_to_f32(pattern);
    if (std::isnan(value)) {
      ASSERT_EQ(f32_to_bf16(value) & 0xff80u, bits & 0xff80u) << "sign and NaN kept";
      ASSERT_NE(f32_to_bf16(value) & 0x7fu, 0u);
    } else {
      ASSERT_EQ(bits_of(value), bits << 16);
      ASSERT_EQ(f32_to_bf16(value), pattern);
    }
  }
}

TEST(Bf16, nan_whose_payload_lies_in_the_lost_half_does_not_become_infinite) {
  EXPECT_EQ(f32_to_bf16(std::bit_cast<float>(0x7f800001u)), 0x7fc0);
  EXPECT_EQ(f32_to_bf16(std::bit_cast<float>(0xff80ffffu)), 0xffc0);
}

TEST(Half, rounding_equals_numpy_and_torch) {
  GoldenReader golden("half.bin");
  const std::uint32_t count = golden.number();
  ASSERT_GT(count, 1000u);
  const auto values = golden.take<float>(count);
  const auto f16 = golden.take<std::uint16_t>(count);
  const auto bf16 = golden.take<std::uint16_t>(count);
  EXPECT_TRUE(golden.at_end());
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_EQ(f32_to_f16(values[i]), f16[i]) << std::hexfloat << values[i];
    EXPECT_EQ(f32_to_bf16(values[i]), bf16[i]) << std::hexfloat << values[i];
  }
}

}  // namespace
}  // namespace premise
