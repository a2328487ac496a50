#include "numerics/quant/block_search.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "numerics/quant/golden_for_test.h"
#include "numerics/quant/half.h"

namespace premise {
namespace {

class BlockSearchTest : public testing::TestWithParam<DType> {
 protected:
  const GroupedTraits& t() const { return grouped_format(GetParam())->traits; }

  // Groups of very different sizes, some empty, some shifted: scales and minimums vary widely.
  std::vector<float> values(unsigned seed) const {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(0.0f, 0.02f);
    std::vector<float> row(t().elements);
    for (std::size_t k = 0; k < row.size(); ++k) {
      const std::size_t g = k / t().group_elements;
      row[k] = normal(random) * static_cast<float>(g % 5) + 0.01f * static_cast<float>(g % 3);
    }
    return row;
  }
};
INSTANTIATE_TEST_SUITE_P(Types, BlockSearchTest,
                         testing::Values(DType::q2_k, DType::q3_k, DType::q4_k, DType::q5_k,
                                         DType::q6_k, DType::iq4_nl, DType::iq4_xs),
                         type_name);

TEST_P(BlockSearchTest, every_code_is_the_nearest_for_its_scale) {
  for (unsigned seed = 0; seed < 8; ++seed) {
    const std::vector<float> row = values(seed);
    GroupedBlock block;
    search_block(GetParam(), row.data(), block);
    for (std::size_t k = 0; k < row.size(); ++k) {
      const std::size_t g = k / t().group_elements;
      const double scale = static_cast<double>(f16_to_f32(block.d)) * block.scale[g];
      const double min = static_cast<double>(f16_to_f32(block.dmin)) * block.min[g];
      const auto miss = [&](int code) {
        return std::abs(scale * t().level(static_cast<std::uint8_t>(code)) - min - row[k]);
      };
      for (int code = 0; code < 1 << t().code_bits; ++code)
        ASSERT_LE(miss(block.code[k]), miss(code) + 1e-5 * std::abs(scale)) << "element " << k;
    }
  }
}

TEST_P(BlockSearchTest, parts_fit_their_bits) {
  const GroupedFormat& format = *grouped_format(GetParam());
  for (unsigned seed = 0; seed < 8; ++seed) {
    const std::vector<float> row = values(seed);
    GroupedBlock block, again;
    search_block(GetParam(), row.data(), block);
    std::vector<std::byte> bytes(traits(GetParam()).block_bytes);
    format.pack(block, bytes.data());
    format.unpack(bytes.data(), again);
    EXPECT_EQ(block.d, again.d);
    EXPECT_EQ(block.dmin, again.dmin);
    for (std::size_t g = 0; g < t().groups(); ++g) {
      EXPECT_EQ(block.scale[g], again.scale[g]);
      EXPECT_EQ(block.min[g], again.min[g]);
    }
    for (std::size_t k = 0; k < row.size(); ++k) ASSERT_EQ(block.code[k], again.code[k]);
  }
}

TEST_P(BlockSearchTest, values_beyond_every_scale_give_an_infinite_factor) {
  std::vector<float> row = values(1);
  row.back() = -3e38f;
  GroupedBlock block;
  search_block(GetParam(), row.data(), block);
  EXPECT_TRUE(std::isinf(f16_to_f32(block.d)) || std::isinf(f16_to_f32(block.dmin)));
}

}  // namespace
}  // namespace premise
