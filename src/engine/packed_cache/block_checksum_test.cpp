#include "engine/packed_cache/block_checksum.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string_view>
#include <vector>

namespace premise {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

// Check value of the catalogue of CRCs, and the examples of RFC 3720, B.4.
TEST(Crc32c, IsTheOneOfTheStandard) {
  EXPECT_EQ(crc32c(bytes_of("")), 0u);
  EXPECT_EQ(crc32c(bytes_of("123456789")), 0xe3069283u);
  EXPECT_EQ(crc32c(std::vector<std::byte>(32, std::byte{0})), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::vector<std::byte>(32, std::byte{255})), 0x62a8ab43u);
}

TEST(BlockChecksum, IsTheCrcOfEachQuarter) {
  std::vector<std::byte> block(4 * 24);
  for (std::size_t i = 0; i < block.size(); ++i) block[i] = static_cast<std::byte>(i * 7);
  const BlockChecksum sums = block_checksum(block);
  for (std::size_t lane = 0; lane < 4; ++lane)
    EXPECT_EQ(sums[lane], crc32c(std::span(block).subspan(24 * lane, 24)));
}

}  // namespace
}  // namespace premise
