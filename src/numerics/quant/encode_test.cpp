#include "numerics/quant/encode.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "numerics/quant/decode.h"
#include "numerics/quant/golden_for_test.h"
#include "numerics/quant/half.h"

namespace premise {
namespace {

std::vector<std::byte> encoded(DType dtype, std::span<const float> row) {
  std::vector<std::byte> out(row_bytes(dtype, row.size()).value());
  const Status status = encode_row(dtype, row, out);
  EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.error().what.en);
  return out;
}

std::vector<float> there_and_back(DType dtype, std::span<const float> row) {
  std::vector<float> out(row.size());
  EXPECT_TRUE(decode_row(dtype, encoded(dtype, row), out));
  return out;
}

double relative_rms(std::span<const float> values, std::span<const float> decoded) {
  double miss = 0, power = 0;
  for (std::size_t k = 0; k < values.size(); ++k) {
    miss += std::pow(static_cast<double>(values[k]) - decoded[k], 2);
    power += std::pow(static_cast<double>(values[k]), 2);
  }
  return std::sqrt(miss / power);
}

std::vector<float> quality_input() {
  std::vector<float> values;
  for (const std::uint16_t half : GoldenReader("quality_input.bin").rest<std::uint16_t>())
    values.push_back(f16_to_f32(half));
  EXPECT_EQ(values.size() % 256, 0u);
  return values;
}

class RoundedTest : public testing::TestWithParam<DType> {};
INSTANTIATE_TEST_SUITE_P(Types, RoundedTest,
                         testing::Values(DType::q4_0, DType::q4_1, DType::q5_0, DType::q5_1,
                                         DType::q8_0),
                         type_name);

TEST_P(RoundedTest, blocks_equal_the_reference_byte_for_byte) {
  const auto input = GoldenReader("encode_input.bin").rest<float>();
  const std::string name = "encode_" + std::string(traits(GetParam()).name) + ".bin";
  const auto golden = GoldenReader(name).rest<std::byte>();
  const std::size_t size = traits(GetParam()).block_bytes;
  ASSERT_EQ(golden.size(), input.size() / 32 * size);
  for (std::size_t b = 0; b < input.size() / 32; ++b) {
    const auto block = encoded(GetParam(), std::span(input).subspan(32 * b, 32));
    EXPECT_TRUE(std::ranges::equal(block, std::span(golden).subspan(b * size, size))) << b;
  }
}

class EncodeTest : public testing::TestWithParam<DType> {
 protected:
  std::size_t elements() const { return traits(GetParam()).block_elements; }
  std::vector<float> block(float value) const { return std::vector<float>(elements(), value); }
};
INSTANTIATE_TEST_SUITE_P(Types, EncodeTest, testing::ValuesIn(block_types), type_name);

// ggml's encoders without importance matrix are the yardstick; ours must not be worse.
TEST_P(EncodeTest, error_is_at_most_that_of_ggml) {
  std::map<std::string, double> ggml;
  std::ifstream file(PREMISE_SOURCE_DIR "/tests/golden/quant/quality_ggml.txt");
  for (std::string name; file >> name;) file >> ggml[name];
  const std::string name(traits(GetParam()).name);
  ASSERT_TRUE(ggml.contains(name));
  const auto input = quality_input();
  const double error = relative_rms(input, there_and_back(GetParam(), input));
  RecordProperty("relative_rms", std::to_string(error));
  EXPECT_LE(error, ggml[name] * 1.0005) << "ggml: " << ggml[name];
  EXPECT_GE(error, ggml[name] * 0.7) << "too good to be true";
}

TEST_P(EncodeTest, zeros_stay_zeros) {
  for (const float zero : {0.0f, -0.0f})
    for (const float value : there_and_back(GetParam(), block(zero))) EXPECT_EQ(value, 0.0f);
}

TEST_P(EncodeTest, decoded_blocks_lose_next_to_nothing_when_encoded_again) {
  const auto input = quality_input();
  const auto once = there_and_back(GetParam(), input);
  EXPECT_LE(relative_rms(once, there_and_back(GetParam(), once)), 0.5 * relative_rms(input, once));
}

TEST_P(EncodeTest, magnitudes_from_denormal_to_the_largest_scales_work) {
  for (const float magnitude : {5e-5f, 1e-3f, 1.0f, 1e3f, 1e5f}) {
    std::vector<float> row(elements());
    for (std::size_t k = 0; k < row.size(); ++k)
      row[k] = magnitude * (static_cast<float>(k) / static_cast<float>(row.size()) - 0.4f);
    EXPECT_LE(relative_rms(row, there_and_back(GetParam(), row)), 0.3) << magnitude;
  }
}

TEST_P(EncodeTest, values_below_every_scale_become_zero_or_almost) {
  for (const float tiny : {1e-45f, 1e-38f, -1e-30f, 1e-12f})
    for (const float value : there_and_back(GetParam(), block(tiny)))
      EXPECT_LE(std::abs(value), 1e-6f) << tiny;
}

TEST_P(EncodeTest, nan_and_infinity_are_errors_that_name_the_element) {
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    std::vector<float> row(3 * elements(), 0.5f);
    row[elements() + 17] = bad;
    std::vector<std::byte> out(3 * traits(GetParam()).block_bytes);
    const Status status = encode_row(GetParam(), row, out);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::bad_input);
    const std::string index = "element " + std::to_string(elements() + 17) + " ";
    EXPECT_NE(status.error().what.en.find(index), std::string::npos) << status.error().what.en;
  }
}

TEST_P(EncodeTest, what_no_scale_can_hold_is_an_error_that_names_the_element) {
  constexpr float largest = std::numeric_limits<float>::max();
  for (const float bad : {1e9f, -1e9f, 1e30f, largest, -largest}) {
    std::vector<float> row(2 * elements(), 0.5f);
    row[elements() + 5] = bad;
    row[elements() + 6] = -bad / 2;
    std::vector<std::byte> out(2 * traits(GetParam()).block_bytes);
    const Status status = encode_row(GetParam(), row, out);
    ASSERT_FALSE(status.ok()) << bad;
    const std::string index = "element " + std::to_string(elements() + 5) + " ";
    EXPECT_NE(status.error().what.en.find(index), std::string::npos) << status.error().what.en;
  }
}

TEST_P(EncodeTest, sizes_must_fit) {
  const auto row = block(1.0f);
  std::vector<std::byte> out(traits(GetParam()).block_bytes + 1);
  EXPECT_FALSE(encode_row(GetParam(), row, out));
  EXPECT_FALSE(encode_row(GetParam(), row, std::span(out).first(out.size() - 2)));
  EXPECT_FALSE(encode_row(GetParam(), std::span(row).first(row.size() - 1), out));
  EXPECT_TRUE(encode_row(GetParam(), row, std::span(out).first(out.size() - 1)));
  EXPECT_TRUE(encode_row(GetParam(), {}, {}));
}

TEST(Encode, types_that_do_not_compute_are_errors_by_name) {
  for (const DTypeTraits& t : all_dtypes()) {
    const std::vector<float> row(t.block_elements);
    std::vector<std::byte> out(t.block_bytes);
    const Status status = encode_row(t.dtype, row, out);
    EXPECT_EQ(status.ok(), t.computes) << t.name;
    if (status.ok()) continue;
    EXPECT_NE(status.error().what.en.find(t.name), std::string::npos);
  }
}

TEST(Encode, plain_types_round_and_refuse_what_would_become_infinite) {
  const std::vector<float> row = {1.0f, -0.1f, 65519.0f};
  EXPECT_EQ(there_and_back(DType::f32, row), row);
  EXPECT_EQ(there_and_back(DType::f16, row), (std::vector<float>{1.0f, -0.0999755859375f, 65504}));
  EXPECT_EQ(there_and_back(DType::bf16, row), (std::vector<float>{1.0f, -0.10009765625f, 65536}));
  std::vector<std::byte> out(2);
  EXPECT_FALSE(encode_row(DType::f16, std::vector{65520.0f}, out));
  EXPECT_FALSE(encode_row(DType::bf16, std::vector{-3.4e38f}, out));
}

}  // namespace
}  // namespace premise
