#include <gmock/gmock.h>

#include <bit>

#include "numerics/kernels/matmul_testing.h"
#include "numerics/quant/decode.h"

namespace premise {
namespace {

using namespace matmul_testing;

std::vector<std::uint32_t> bits_of(std::span<const float> values) {
  std::vector<std::uint32_t> out;
  for (const float value : values) out.push_back(std::bit_cast<std::uint32_t>(value));
  return out;
}

std::vector<std::uint64_t> columns_for(DType dtype) {
  switch (traits(dtype).block_elements) {
    case 1:
      return {1, 31, 33, 64, 200};
    case 32:
      return {32, 64, 96, 256, 288, 640};
    default:
      return {256, 512, 768};
  }
}

TEST(Packing, KeepsEveryWeightBitForBit) {
  Random random(1);
  for (const DType dtype : computed_dtypes())
    for (const std::uint64_t columns : columns_for(dtype))
      for (const std::uint64_t rows : {1u, 15u, 16u, 17u, 50u}) {
        const RandomTensor source = random_tensor(dtype, rows, columns, random);
        const Packed packed = pack(source.view);
        std::vector<float> expected(columns), actual(columns);
        for (std::uint64_t r = 0; r < rows; ++r) {
          decode_blocks(dtype, source.view.row(r).data(), expected.data(), columns);
          decode_row(packed.matrix, r, actual.data());
          ASSERT_EQ(bits_of(actual), bits_of(expected))
              << traits(dtype).name << " [" << rows << ", " << columns << "] row " << r;
        }
      }
}

TEST(Packing, IsTheSamePanelByPanel) {
  Random random(2);
  for (const DType dtype : computed_dtypes()) {
    const RandomTensor source = random_tensor(dtype, 50, 512, random);
    const Packed whole = pack(source.view);
    const AlignedBytes parts(whole.memory.size());
    for (const std::uint64_t p : {2u, 0u, 3u, 1u}) pack_panels(source.view, p, p + 1, parts.data());
    EXPECT_EQ(std::memcmp(whole.memory.data(), parts.data(), parts.size()), 0)
        << traits(dtype).name;
  }
}

// Caches on disk hold these bytes (engine/packed_cache). Where this fails, bytes have changed:
// raise packed_layout_version, and write both numbers here.
TEST(Packing, ChangesItsBytesOnlyWithTheLayoutVersion) {
  Random random(3);
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const DType dtype : computed_dtypes()) {
    const RandomTensor source = random_tensor(dtype, 37, 768, random);
    const Packed packed = pack(source.view);
    const auto* bytes = reinterpret_cast<const unsigned char*>(packed.memory.data());
    for (std::size_t i = 0; i < packed.memory.size(); ++i) hash = (hash ^ bytes[i]) * 0x100000001b3;
  }
  EXPECT_EQ(packed_layout_version, 1u);
  EXPECT_EQ(hash, 1726771089546552517u);
}

TEST(Packing, TakesHardlyMoreMemoryThanTheFile) {
  for (const DType dtype : computed_dtypes()) {
    const auto file = static_cast<double>(*row_bytes(dtype, 2048) * 1024);
    const auto packed = static_cast<double>(packed_bytes(dtype, 1024, 2048).value());
    EXPECT_LE(packed / file, dtype == DType::q3_k ? 1.055 : 1.03) << traits(dtype).name;
    EXPECT_GE(packed, file);
  }
}

TEST(Packing, RefusesWhatItCannotHold) {
  EXPECT_THAT(packed_bytes(DType::iq2_xxs, 16, 256).error().what.en, testing::HasSubstr("iq2_xxs"));
  EXPECT_THAT(packed_bytes(DType::q4_k, 16, 96).error().what.en, testing::HasSubstr("96"));
  EXPECT_FALSE(packed_bytes(DType::f32, 1, ~std::uint64_t{0}).ok());
  EXPECT_FALSE(packed_bytes(DType::q8_0, ~std::uint64_t{0}, std::uint64_t{1} << 40).ok());
  EXPECT_FALSE(packed_bytes(DType::q8_0, 1, ~std::uint64_t{31}).ok());
}

TEST(Packing, SizesAreWholeCacheLines) {
  for (const DType dtype : computed_dtypes())
    for (const std::uint64_t columns : columns_for(dtype))
      EXPECT_EQ(packed_bytes(dtype, 17, columns).value() % 64, 0u) << traits(dtype).name;
}

}  // namespace
}  // namespace premise
