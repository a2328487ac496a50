#include "numerics/quant/grouped_block.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <random>
#include <vector>

#include "numerics/quant/bits_256.h"
#include "numerics/quant/golden_for_test.h"
#include "numerics/quant/half.h"

namespace premise {
namespace {

class GroupedBlockTest : public testing::TestWithParam<DType> {
 protected:
  const GroupedFormat& format() const { return *grouped_format(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Types, GroupedBlockTest, testing::ValuesIn(block_types), type_name);

TEST_P(GroupedBlockTest, traits_agree_with_the_table_of_types) {
  const GroupedTraits& t = format().traits;
  EXPECT_EQ(t.dtype, GetParam());
  EXPECT_EQ(t.elements, traits(GetParam()).block_elements);
  EXPECT_EQ(t.elements % t.group_elements, 0);
  EXPECT_LE(t.groups(), max_block_groups);
}

// The law of the decomposition, with the reference's values as witness.
TEST_P(GroupedBlockTest, the_formula_over_the_parts_gives_the_reference_values) {
  const DecodeGolden golden(GetParam());
  const GroupedTraits& t = format().traits;
  for (std::size_t b = 0; b < golden.count; ++b) {
    GroupedBlock parts;
    format().unpack(golden.blocks.data() + b * traits(GetParam()).block_bytes, parts);
    for (std::size_t k = 0; k < t.elements; ++k) {
      const std::size_t g = k / t.group_elements;
      const float scale = f16_to_f32(parts.d) * parts.scale[g];
      const float value = scale * static_cast<float>(t.level(parts.code[k])) -
                          f16_to_f32(parts.dmin) * parts.min[g];
      ASSERT_EQ(std::bit_cast<std::uint32_t>(value),
                std::bit_cast<std::uint32_t>(golden.values[b * t.elements + k]))
          << "block " << b << " element " << k;
    }
  }
}

TEST_P(GroupedBlockTest, unpack_keeps_the_promised_ranges) {
  const DecodeGolden golden(GetParam());
  const GroupedTraits& t = format().traits;
  for (std::size_t b = 0; b < golden.count; ++b) {
    GroupedBlock parts;
    format().unpack(golden.blocks.data() + b * traits(GetParam()).block_bytes, parts);
    for (std::size_t g = 0; g < t.groups(); ++g) {
      EXPECT_GE(parts.scale[g], t.scale_bits == 0 ? 1 : t.scale_low);
      EXPECT_LE(parts.scale[g], t.scale_high());
      EXPECT_LE(parts.min[g], t.min_bits == 0 ? int{t.has_min} : (1 << t.min_bits) - 1);
    }
    EXPECT_TRUE(t.has_min || parts.dmin == 0);
    for (std::size_t k = 0; k < t.elements; ++k) EXPECT_LT(parts.code[k], 1 << t.code_bits);
  }
}

// pack(unpack(x)) == x over random bytes: every bit of a block is part of the decomposition.
TEST_P(GroupedBlockTest, nothing_is_lost) {
  std::mt19937 random(1);
  const std::size_t size = traits(GetParam()).block_bytes;
  std::vector<std::byte> block(size), again(size);
  for (int round = 0; round < 2000; ++round) {
    for (std::byte& byte : block) byte = static_cast<std::byte>(random());
    GroupedBlock parts;
    std::memset(static_cast<void*>(&parts), 0xa5, sizeof parts);
    format().unpack(block.data(), parts);
    format().pack(parts, again.data());
    ASSERT_EQ(block, again);
  }
}

TEST(GroupedFormat, exists_for_block_types_that_compute_and_for_nothing_else) {
  for (const DTypeTraits& t : all_dtypes())
    EXPECT_EQ(grouped_format(t.dtype) != nullptr, t.computes && t.block_elements > 1) << t.name;
}

TEST(ScaleMinK4, reads_twelve_bytes_as_drawn) {
  GroupedBlock in{};
  for (int g = 0; g < 8; ++g) {
    in.scale[g] = static_cast<std::int8_t>(7 * g + 3);
    in.min[g] = static_cast<std::uint8_t>(63 - 5 * g);
  }
  std::uint8_t packed[12];
  bits::pack_scales_k4(in, packed);
  EXPECT_EQ(packed[0], 3 | (31 >> 4) << 6);
  EXPECT_EQ(packed[8], (31 & 15) | (43 & 15) << 4);
  for (int g = 0; g < 8; ++g) {
    EXPECT_EQ(bits::scale_min_k4(g, packed).scale, 7 * g + 3);
    EXPECT_EQ(bits::scale_min_k4(g, packed).min, 63 - 5 * g);
  }
}

}  // namespace
}  // namespace premise
