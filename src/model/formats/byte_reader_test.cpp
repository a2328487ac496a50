#include "model/formats/byte_reader.h"

#include <gmock/gmock.h>

#include <limits>
#include <string>

#include "model/formats/in_quotes.h"

namespace premise {
namespace {

using testing::HasSubstr;

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

constexpr Label field{"the field", "字段"};
constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

TEST(ByteReader, ReadsLittleEndianNumbersInOrder) {
  const std::string data("\x01\x02\xff\x00\x00\x00\x00\x00\x80\x3f", 10);
  ByteReader in(bytes_of(data), "f");
  EXPECT_EQ(*in.number<std::uint16_t>(field), 0x0201);
  EXPECT_EQ(*in.number<std::int8_t>(field), -1);
  EXPECT_EQ(*in.number<std::uint8_t>(field), 0);
  EXPECT_EQ(in.offset(), 4u);
  EXPECT_EQ(*in.number<std::uint16_t>(field), 0);
  EXPECT_EQ(*in.number<float>(field), 1.0f);
  EXPECT_EQ(in.remaining(), 0u);
}

TEST(ByteReader, SaysWhereTheFileEnds) {
  const std::string data("\x01\x02\x03", 3);
  ByteReader in(bytes_of(data), "model.gguf");
  in.subject({"tensor", "张量"}, "blk.0");
  ASSERT_TRUE(in.number<std::uint16_t>(field).ok());
  const auto read = in.number<std::uint32_t>(field);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, ErrorCode::bad_input);
  EXPECT_EQ(read.error().what.en,
            "model.gguf: tensor \"blk.0\" at offset 2: the file ends within the field "
            "(4 bytes needed, 1 left)");
  EXPECT_EQ(read.error().what.zh,
            "model.gguf：张量 \"blk.0\"，偏移 2：文件在字段处中断（需要 4 字节，只剩 1 字节）");
  EXPECT_EQ(in.offset(), 2u);
}

TEST(ByteReader, TakesAStringBehindItsLength) {
  const std::string data("\x02\0\0\0\0\0\0\0hi!", 11);
  ByteReader in(bytes_of(data), "f");
  EXPECT_EQ(*in.string(field, no_limit), "hi");
  EXPECT_EQ(in.remaining(), 1u);
}

TEST(ByteReader, RefusesAStringLongerThanTheFileOrTheLimit) {
  const std::string data("\x04\0\0\0\0\0\0\0hi!", 11);
  EXPECT_THAT(ByteReader(bytes_of(data), "f").string(field, no_limit).error().what.en,
              HasSubstr("the field claims 4 bytes, the file has 3 left"));
  const std::string huge("\xff\xff\xff\xff\xff\xff\xff\xffhi!", 11);
  EXPECT_THAT(ByteReader(bytes_of(huge), "f").string(field, no_limit).error().what.en,
              HasSubstr("claims 18446744073709551615 bytes"));
  const std::string fits("\x03\0\0\0\0\0\0\0hi!", 11);
  EXPECT_THAT(ByteReader(bytes_of(fits), "f").string(field, 2).error().what.en,
              HasSubstr("the field has 3 bytes, at most 2 are allowed"));
}

TEST(ByteReader, RefusesCountsWhoseProductOverflows) {
  const std::string data(16, 'x');
  ByteReader in(bytes_of(data), "f");
  EXPECT_TRUE(in.expect(2, 8, field).ok());
  EXPECT_FALSE(in.expect(3, 8, field).ok());
  EXPECT_FALSE(in.expect(std::uint64_t{1} << 61, 8, field).ok());
  EXPECT_FALSE(in.expect(no_limit, no_limit, field).ok());
  EXPECT_FALSE(in.take((std::uint64_t{1} << 63) + 1, 2, field).ok());
  EXPECT_EQ(in.take(4, 4, field)->size(), 16u);
  EXPECT_TRUE(in.take(0, 4, field)->empty());
}

TEST(InQuotes, KeepsAMessageOnOneLineAndHarmless) {
  EXPECT_EQ(in_quotes("blk.0"), "\"blk.0\"");
  EXPECT_EQ(in_quotes("a\nb\tc\x1b[2J"), "\"a\\nb\\tc\\x1b[2J\"");
  EXPECT_EQ(in_quotes("\xff"), "\"\\xff\"");
  EXPECT_EQ(in_quotes("模型"), "\"模型\"");
}

TEST(InQuotes, CutsLongTextBetweenCharacters) {
  EXPECT_EQ(in_quotes("abcdef", 3), "\"abc…\"");
  EXPECT_EQ(in_quotes("模型", 4), "\"模…\"");
  EXPECT_EQ(in_quotes("模型", 6), "\"模型\"");
  EXPECT_EQ(in_quotes(std::string(9, '\x80'), 4), "\"\\x80…\"");
}

}  // namespace
}  // namespace premise
