#include "numerics/quant/decode.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <vector>

#include "numerics/quant/golden_for_test.h"
#include "numerics/quant/half.h"

namespace premise {
namespace {

class DecodeTest : public testing::TestWithParam<DType> {};
INSTANTIATE_TEST_SUITE_P(Types, DecodeTest, testing::ValuesIn(block_types), type_name);

TEST_P(DecodeTest, values_equal_the_reference_bit_for_bit) {
  const DecodeGolden golden(GetParam());
  std::vector<float> out(golden.values.size());
  ASSERT_TRUE(decode_row(GetParam(), golden.blocks, out));
  for (std::size_t k = 0; k < out.size(); ++k)
    ASSERT_EQ(std::bit_cast<std::uint32_t>(out[k]), std::bit_cast<std::uint32_t>(golden.values[k]))
        << "element " << k << ": " << out[k] << " for " << golden.values[k];
}

TEST_P(DecodeTest, alignment_of_the_source_does_not_matter) {
  const DecodeGolden golden(GetParam());
  std::vector<std::byte> shifted(golden.blocks.size() + 1);
  std::ranges::copy(golden.blocks, shifted.begin() + 1);
  std::vector<float> out(golden.values.size());
  ASSERT_TRUE(decode_row(GetParam(), std::span(shifted).subspan(1), out));
  EXPECT_EQ(out, golden.values);
}

TEST_P(DecodeTest, a_row_must_be_whole_blocks_with_just_their_bytes) {
  const DecodeGolden golden(GetParam());
  std::vector<float> out(golden.values.size(), 7.0f);
  const std::span<const std::byte> bytes = golden.blocks;
  EXPECT_FALSE(decode_row(GetParam(), bytes.first(bytes.size() - 1), out));
  EXPECT_FALSE(decode_row(GetParam(), bytes.first(0), out));
  EXPECT_FALSE(decode_row(GetParam(), bytes, std::span(out).first(out.size() - 1)));
  for (const float value : out) ASSERT_EQ(value, 7.0f) << "an error leaves the output alone";
}

TEST(Decode, every_type_that_computes_decodes_and_no_other) {
  for (const DTypeTraits& t : all_dtypes()) {
    std::vector<std::byte> block(t.block_bytes);
    std::vector<float> out(t.block_elements, 1.0f);
    const Status status = decode_row(t.dtype, block, out);
    EXPECT_EQ(status.ok(), t.computes) << t.name;
    if (!status.ok()) {
      EXPECT_EQ(status.error().code, ErrorCode::bad_input);
      EXPECT_NE(status.error().what.en.find(t.name), std::string::npos) << status.error().what.en;
      EXPECT_NE(status.error().what.zh.find(t.name), std::string::npos) << status.error().what.zh;
    } else {
      for (const float value : out) EXPECT_EQ(value, 0.0f) << t.name << ": zero bytes are zeros";
    }
  }
}

TEST(Decode, an_empty_row_is_no_error) {
  for (const DType dtype : {DType::f32, DType::bf16, DType::q4_0, DType::q6_k})
    EXPECT_TRUE(decode_row(dtype, {}, {})) << traits(dtype).name;
}

TEST(Decode, plain_types_are_exact) {
  const std::vector<float> values = {0.0f, -1.5f, 0x1p-24f, 65504.0f, 0.333251953125f};
  std::vector<std::uint16_t> halves;
  for (const float value : values) halves.push_back(f32_to_f16(value));
  std::vector<float> out(values.size());
  ASSERT_TRUE(decode_row(DType::f16, std::as_bytes(std::span(halves)), out));
  EXPECT_EQ(out, values);
  ASSERT_TRUE(decode_row(DType::f32, std::as_bytes(std::span(values)), out));
  EXPECT_EQ(out, values);
  const std::vector<std::uint16_t> brains = {0x3f80, 0xbfc0, 0x0001};
  out.resize(3);
  ASSERT_TRUE(decode_row(DType::bf16, std::as_bytes(std::span(brains)), out));
  EXPECT_EQ(out, (std::vector<float>{1.0f, -1.5f, 0x1p-133f}));
}

}  // namespace
}  // namespace premise
