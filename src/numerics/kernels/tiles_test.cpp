// The tiles in software against the manual's words, and against the processor's where it has some.
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <random>

#include "numerics/device/isa.h"
#include "numerics/kernels/contracts/tile_probe.h"
#include "numerics/kernels/matmul_kernels.h"
#include "numerics/quant/half.h"

namespace premise {
namespace {

using Tile = std::array<std::byte, 1024>;

std::uint16_t bf16_at(const Tile& tile, int row, int element) {
  std::uint16_t value;
  std::memcpy(&value, tile.data() + 64 * row + 2 * element, sizeof value);
  return value;
}

void set_bf16(Tile& tile, int row, int element, std::uint16_t value) {
  std::memcpy(tile.data() + 64 * row + 2 * element, &value, sizeof value);
}

float f32_at(const Tile& tile, int row, int element) {
  float value;
  std::memcpy(&value, tile.data() + 64 * row + 4 * element, sizeof value);
  return value;
}

void set_f32(Tile& tile, int row, int element, float value) {
  std::memcpy(tile.data() + 64 * row + 4 * element, &value, sizeof value);
}

class Tiles : public testing::Test {
 protected:
  void SetUp() override {
    if (!offers(Isa::amx_emulated)) GTEST_SKIP() << "this machine lacks AVX512-BF16";
  }

  Tile random_bf16() {
    Tile tile;
    for (int row = 0; row < 16; ++row)
      for (int k = 0; k < 32; ++k) set_bf16(tile, row, k, f32_to_bf16(normal_(random_)));
    return tile;
  }
  Tile random_f32() {
    Tile tile;
    for (int row = 0; row < 16; ++row)
      for (int n = 0; n < 16; ++n) set_f32(tile, row, n, normal_(random_));
    return tile;
  }

  std::mt19937 random_{11};
  std::normal_distribution<float> normal_{0, 1};
};

// The pseudocode of TDPBF16PS, one element at a time.
float expected(const Tile& a, const Tile& b, const Tile& c, int m, int n, int pairs) {
  float even = 0, odd = 0;
  for (int k = 0; k < pairs; ++k) {
    even = std::fma(bf16_to_f32(bf16_at(a, m, 2 * k)), bf16_to_f32(bf16_at(b, k, 2 * n)), even);
    odd =
        std::fma(bf16_to_f32(bf16_at(a, m, 2 * k + 1)), bf16_to_f32(bf16_at(b, k, 2 * n + 1)), odd);
  }
  return f32_at(c, m, n) + (even + odd);
}

TEST_F(Tiles, MultiplyAsTheManualSaysInEveryShapeAndTouchNothingElse) {
  for (int rows = 1; rows <= 16; ++rows)
    for (const int pairs : {1, 2, 7, 15, 16})
      for (const int columns : {1, 3, 8, 15, 16}) {
        const Tile a = random_bf16(), b = random_bf16(), before = random_f32();
        Tile c = before;
        const TileShapes shapes = {
            {static_cast<std::uint8_t>(rows), static_cast<std::uint8_t>(rows),
             static_cast<std::uint8_t>(pairs)},
            {static_cast<std::uint16_t>(4 * columns), static_cast<std::uint16_t>(4 * pairs),
             static_cast<std::uint16_t>(4 * columns)}};
        tile_probes.emulated.multiply(shapes, a.data(), b.data(), c.data());
        for (int m = 0; m < 16; ++m)
          for (int n = 0; n < 16; ++n) {
            const bool inside = m < rows && n < columns;
            const float wanted =
                inside ? expected(a, b, before, m, n, pairs) : f32_at(before, m, n);
            ASSERT_EQ(std::bit_cast<std::uint32_t>(f32_at(c, m, n)),
                      std::bit_cast<std::uint32_t>(wanted))
                << rows << " x " << pairs << " x " << columns << " at " << m << ", " << n;
          }
      }
}

TEST_F(Tiles, TakeDenormalNumbersForZeroAndNeverMakeOne) {
  Tile a{}, b{}, c{};
  set_bf16(a, 0, 0, 0x0040);                 // denormal: counts as zero
  set_bf16(b, 0, 0, 0x7f00);                 // 1.7e38
  set_bf16(a, 1, 0, f32_to_bf16(0x1p-70f));  // 2^-70 · 2^-70 would be denormal
  set_bf16(b, 0, 2, f32_to_bf16(0x1p-70f));
  set_f32(c, 2, 0, 0x1p-140f);  // a denormal sum
  tile_probes.emulated.multiply({{16, 16, 16}, {64, 64, 64}}, a.data(), b.data(), c.data());
  EXPECT_EQ(f32_at(c, 0, 0), 0.0f);
  EXPECT_EQ(f32_at(c, 1, 1), 0.0f);
  EXPECT_EQ(f32_at(c, 2, 0), 0.0f);
  volatile float denormal = 0x1p-130f;  // the mode of the thread is as before
  EXPECT_NE(denormal * 0.5f, 0.0f);
}

TEST_F(Tiles, RefuseWhatTheProcessorRefuses) {
  const Tile a{}, b{};
  Tile c{};
  const auto multiply = [&](const TileShapes& shapes) {
    tile_probes.emulated.multiply(shapes, a.data(), b.data(), c.data());
  };
  EXPECT_DEATH(multiply({{17, 17, 16}, {64, 64, 64}}), "");  // more rows than a tile has
  EXPECT_DEATH(multiply({{16, 16, 16}, {64, 68, 64}}), "");  // longer ones
  EXPECT_DEATH(multiply({{16, 15, 16}, {64, 64, 64}}), "");  // other rows in a than in c
  EXPECT_DEATH(multiply({{16, 16, 16}, {64, 32, 64}}), "");  // other pairs in a than in b
  EXPECT_DEATH(multiply({{16, 16, 16}, {32, 64, 64}}), "");  // other columns in b than in c
  EXPECT_DEATH(multiply({{16, 16, 0}, {64, 64, 0}}), "");    // a tile that is not configured
}

TEST_F(Tiles, OfTheProcessorComputeWithinTheRoundingOfThoseInSoftware) {
  if (!offers(Isa::amx)) GTEST_SKIP() << "this machine has no AMX tiles";
  const Tile a = random_bf16(), b = random_bf16(), before = random_f32();
  Tile hard = before, soft = before;
  const TileShapes shapes = {{13, 13, 11}, {36, 44, 36}};
  tile_probes.hardware.multiply(shapes, a.data(), b.data(), hard.data());
  tile_probes.emulated.multiply(shapes, a.data(), b.data(), soft.data());
  for (int m = 0; m < 16; ++m)
    for (int n = 0; n < 16; ++n) EXPECT_NEAR(f32_at(hard, m, n), f32_at(soft, m, n), 1e-4);
}

}  // namespace
}  // namespace premise
