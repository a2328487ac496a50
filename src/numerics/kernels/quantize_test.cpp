#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "numerics/kernels/matmul_testing.h"

namespace premise {
namespace {

using namespace matmul_testing;

TEST(Quantize, RoundsEveryActivationToWithinHalfAStep) {
  Random random(1);
  constexpr std::size_t rows = 3, columns = 640;
  const std::vector<float> x = random_activations(rows * columns, random);
  const Input input = quantize(Isa::ref, x, rows, columns);
  const QuantizedRows& q = input.activations.quantized;
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t g = 0; g < columns / 32; ++g) {
      const float scale = q.scales[r * q.group_stride + g];
      int sums[2] = {0, 0};
      int largest = 0;
      for (std::size_t k = 0; k < 32; ++k) {
        const int code = q.codes[r * q.code_stride + g * 32 + k / 4 * 4 + quad_order[k % 4]];
        sums[k / 16] += code;
        largest = std::max(largest, std::abs(code));
        EXPECT_NEAR(static_cast<float>(code) * scale, x[r * columns + g * 32 + k],
                    scale * 0.504f);  // 2^-24 of code · scale is up to 0.004 steps
      }
      EXPECT_EQ(largest, 32512);
      EXPECT_EQ(q.minus_sums16[2 * (r * q.group_stride + g)], -sums[0]);
      EXPECT_EQ(q.minus_sums16[2 * (r * q.group_stride + g) + 1], -sums[1]);
      EXPECT_EQ(q.minus_sums32[r * q.group_stride + g], -(sums[0] + sums[1]));
    }
}

TEST(Quantize, TiesGoToTheEvenCode) {
  std::vector<float> x(32, 0.0f);
  x[0] = 32512.0f;
  x[1] = 2.5f;
  x[2] = 3.5f;
  x[3] = -0.5f;
  const Input input = quantize(Isa::ref, x, 1, 32);
  const std::int16_t* codes = input.activations.quantized.codes;
  EXPECT_EQ(codes[quad_order[1]], 2);
  EXPECT_EQ(codes[quad_order[2]], 4);
  EXPECT_EQ(codes[quad_order[3]], 0);
}

TEST(Quantize, TinyGroupsAreZeroAndBadOnesAreNaN) {
  std::vector<float> x(96, 0.0f);
  x[3] = 1e-40f;
  x[40] = std::numeric_limits<float>::quiet_NaN();
  x[70] = -std::numeric_limits<float>::infinity();
  const Input input = quantize(Isa::ref, x, 1, 96);
  const QuantizedRows& q = input.activations.quantized;
  EXPECT_EQ(q.scales[0], 0.0f);
  EXPECT_TRUE(std::isnan(q.scales[1]));
  EXPECT_TRUE(std::isnan(q.scales[2]));
  for (std::size_t k = 0; k < 96; ++k) EXPECT_EQ(q.codes[k], 0);
}

std::vector<float> hostile_activations(std::size_t count, Random& random) {
  std::vector<float> x(count);
  for (float& value : x) value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
  return x;
}

// Whole groups of ordinary, of tiny and of arbitrary bit patterns.
std::vector<float> mixed_activations(std::size_t count, Random& random) {
  std::vector<float> x = random_activations(count, random);
  for (std::size_t begin = 0; begin + 32 <= count; begin += 32) {
    const auto kind = random() % 8;
    const auto group = hostile_activations(32, random);
    for (std::size_t k = 0; k < 32; ++k) {
      if (kind == 0) x[begin + k] = group[k];
      if (kind == 1) x[begin + k] *= 0x1p-105f;
      if (kind == 2) x[begin + k] *= 0x1p100f;
      if (kind == 3) x[begin + k] = std::round(x[begin + k] * 4) / 2;  // many ties
    }
  }
  return x;
}

TEST(Quantize, GroupsThatStandOutKeepSixteenBitsAndTheOthersEight) {
  Random random(3);
  constexpr std::size_t rows = 4, columns = 672;  // 21 groups: the last chunk has five
  const std::vector<float> x = uneven_groups(rows * columns, random);
  const Input input = quantize(Isa::ref, x, rows, columns, ActivationBits::mixed);
  const QuantizedRows& q = input.activations.quantized;
  for (std::size_t r = 0; r < rows; ++r) {
    double mean = 0;
    std::vector<float> amax(columns / 32, 0.0f);
    for (std::size_t c = 0; c < columns; ++c)
      amax[c / 32] = std::max(amax[c / 32], std::abs(x[r * columns + c]));
    for (const float a : amax) mean += a / static_cast<double>(amax.size());
    for (std::size_t g = 0; g < amax.size(); ++g) {
      const bool fine = q.fine[r * q.chunk_stride + g / 8] >> g % 8 & 1;
      EXPECT_EQ(fine, amax[g] > 1.5 * mean) << r << " " << g;
      const float step = q.scales[r * q.group_stride + g] * (fine ? 1.0f : 256.0f);
      for (std::size_t k = g * 32; k < g * 32 + 32; ++k) {
        const int code = q.codes[r * q.code_stride + k / 4 * 4 + quad_order[k % 4]];
        EXPECT_NEAR(static_cast<float>(code) * q.scales[r * q.group_stride + g], x[r * columns + k],
                    0.504f * step);
        EXPECT_EQ(code, 256 * q.high[r * q.byte_stride + k] + q.low[r * q.byte_stride + k]);
        EXPECT_TRUE(fine || q.low[r * q.byte_stride + k] == 0);
      }
    }
  }
}

TEST(Quantize, ARowOfOneMagnitudeHasNoFineGroup) {
  const std::vector<float> x(256, -3.0f);
  const Input input = quantize(Isa::ref, x, 1, 256, ActivationBits::mixed);
  EXPECT_EQ(input.activations.quantized.fine[0], 0);
  EXPECT_EQ(input.activations.quantized.codes[0], -32512);
}

// Scales beyond the last group of a row may hold anything.
Input without_padding(Input input, std::size_t rows, std::size_t columns) {
  QuantizedRows& q = input.activations.quantized;
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t g = columns / group_columns; g < q.group_stride; ++g)
      q.scales[r * q.group_stride + g] = 0.0f;
  return input;
}

TEST(Quantize, EveryInstructionSetGivesTheSameBits) {
  Random random(2);
  for (const std::size_t columns : {32u, 64u, 96u, 640u, 2080u}) {
    constexpr std::size_t rows = 20;
    const std::vector<float> x = mixed_activations(rows * columns, random);
    for (const ActivationBits bits : {ActivationBits::sixteen, ActivationBits::mixed}) {
      const Input expected =
          without_padding(quantize(Isa::ref, x, rows, columns, bits), rows, columns);
      for (const Isa isa : {Isa::avx2, Isa::avx512}) {
        if (isa > widest_isa()) continue;
        const Input actual = without_padding(quantize(isa, x, rows, columns, bits), rows, columns);
        EXPECT_EQ(std::string(quantize_kernel(isa).name), fmt::format("quantize.{}", name_of(isa)));
        EXPECT_EQ(std::memcmp(actual.memory.data(), expected.memory.data(), expected.memory.size()),
                  0)
            << name_of(isa) << " " << columns;
      }
    }
  }
}

}  // namespace
}  // namespace premise
