// What a hostile or damaged file is told: each law of gguf.h, with the name and place of the fault.
#include <gmock/gmock.h>

#include <limits>

#include "model/formats/gguf_metadata.h"
#include "model/formats/raw_gguf_test.h"

namespace premise {
namespace {

using gguf::Type;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::uint64_t huge = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint32_t f32 = 0;
constexpr std::uint32_t q4_0 = 2;

TEST(GgufParse, ReadsAFileWrittenByHand) {
  const auto content = RawGguf(2, 1)
                           .u32_value("a.b", 7)
                           .tensor("x", {4, 2}, f32, 0)
                           .tensor("scalar", {}, f32, 32)
                           .data(36)
                           .parse();
  ASSERT_TRUE(content.ok()) << content.error().what.en;
  EXPECT_EQ(*content->metadata.u64("a.b"), 7u);
  EXPECT_EQ(content->tensors[0].shape, (Shape{{2, 4, 1, 1}, 2}));
  EXPECT_EQ(content->tensors[0].bytes, 32u);
  EXPECT_EQ(content->tensors[1].shape.elements(), 1u);
  EXPECT_EQ(content->alignment, 32u);
  EXPECT_EQ(content->offsets[1], content->data_offset + 32);
}

TEST(GgufParse, AFileWithoutTensorsNeedsNoDataSection) {
  EXPECT_TRUE(RawGguf(0, 0).parse().ok());
  EXPECT_TRUE(RawGguf(0, 1).u32_value("a", 1).parse().ok());
}

TEST(GgufParse, RefusesWhatIsNoGguf) {
  EXPECT_THAT(parse_gguf(std::as_bytes(std::span("hello, this is text")), "f").error().what.en,
              HasSubstr("does not begin with \"GGUF\""));
  EXPECT_THAT(parse_gguf({}, "f").error().what.en, StartsWith("f: header at offset 0: "));
}

TEST(GgufParse, RefusesVersionsByName) {
  EXPECT_EQ(RawGguf(0, 0, 1).problem(),
            "model.gguf: header at offset 4: GGUF version 1 is not supported");
  EXPECT_THAT(RawGguf(0, 0, 0x03000000).problem(), HasSubstr("big-endian"));
  EXPECT_THAT(RawGguf(0, 0, 4).problem(), HasSubstr("GGUF version 4 is unknown"));
  EXPECT_THAT(RawGguf(0, 0, 0).problem(), HasSubstr("GGUF version 0 is unknown"));
}

TEST(GgufParse, ComparesCountsWithTheFileBeforeReadingOn) {
  EXPECT_THAT(RawGguf(huge, 0).problem(), HasSubstr("18446744073709551615 tensors are claimed"));
  EXPECT_THAT(RawGguf(1000, 0).problem(), HasSubstr("1000 tensors need at least 25 bytes each"));
  EXPECT_THAT(RawGguf(0, huge).problem(),
              HasSubstr("metadata at offset 24: 18446744073709551615 metadata pairs need"));
}

TEST(GgufParse, RefusesBadKeys) {
  EXPECT_THAT(RawGguf(0, 1).u32_value("", 1).number(0).problem(), HasSubstr("a key is empty"));
  EXPECT_THAT(RawGguf(0, 2).u32_value("a.b", 1).u32_value("a.b", 2).problem(),
              AllOf(HasSubstr("metadata key \"a.b\" at offset 43"), HasSubstr("appears twice")));
  EXPECT_THAT(RawGguf(0, 1).string(std::string(65536, 'k')).type(Type::u32).number(1).problem(),
              HasSubstr("a key has 65536 bytes, at most 65535 are allowed"));
}

TEST(GgufParse, RefusesUnknownValueTypes) {
  EXPECT_THAT(RawGguf(0, 1).string("a").number(13u).number(1u).problem(),
              AllOf(HasSubstr("metadata key \"a\" at offset 33"), HasSubstr("value type 13")));
  EXPECT_THAT(
      RawGguf(0, 1).string("a").type(Type::array).number(99u).number(std::uint64_t{0}).problem(),
      HasSubstr("value type 99 is unknown"));
}

TEST(GgufParse, RefusesArraysOfArraysByName) {
  EXPECT_THAT(RawGguf(0, 1)
                  .string("a")
                  .type(Type::array)
                  .type(Type::array)
                  .number(std::uint64_t{1})
                  .problem(),
              HasSubstr("arrays of arrays are not supported"));
}

TEST(GgufParse, RefusesBooleansThatAreNeither) {
  EXPECT_THAT(RawGguf(0, 1).string("a").type(Type::boolean).text("\x02").problem(),
              HasSubstr("offset 37: a boolean is 2, expected 0 or 1"));
  EXPECT_THAT(RawGguf(0, 1)
                  .string("a")
                  .type(Type::array)
                  .type(Type::boolean)
                  .number(std::uint64_t{3})
                  .text(std::string("\1\0\7", 3))
                  .problem(),
              HasSubstr("offset 51: a boolean is 7"));
}

TEST(GgufParse, ComparesArrayCountsAndStringLengthsWithTheFile) {
  const auto array = [](Type type, std::uint64_t count) {
    return RawGguf(0, 1).string("a").type(Type::array).type(type).number(count).text("12345678");
  };
  EXPECT_THAT(array(Type::u64, 2).problem(), HasSubstr("2 array elements need at least 8 bytes"));
  EXPECT_THAT(array(Type::u8, huge).problem(), HasSubstr("18446744073709551615 array elements"));
  EXPECT_THAT(array(Type::boolean, 9).problem(), HasSubstr("9 array elements"));
  EXPECT_THAT(array(Type::string, 1ull << 61).problem(),
              HasSubstr("strings need at least 8 bytes"));
  EXPECT_THAT(RawGguf(0, 1).string("a").type(Type::string).number(huge).problem(),
              HasSubstr("a string claims 18446744073709551615 bytes, the file has 0 left"));
}

TEST(GgufParse, KeepsMemoryWithinABudgetThatTheFileCannotRaise) {
  RawGguf raw(0, 1);
  raw.string("a")
      .type(Type::array)
      .type(Type::u8)
      .number<std::uint64_t>(1000)
      .text(std::string(1000, 'x'));
  const auto read = [&](std::uint64_t budget) {
    ByteReader in(raw.bytes().subspan(24), "f");
    Metadata metadata;
    return gguf::read_metadata(in, 1, metadata, budget);
  };
  EXPECT_TRUE(read(9000).ok());
  ASSERT_FALSE(read(7000).ok());
  EXPECT_THAT(read(7000).error().what.en, HasSubstr("more memory than a model can need"));
}

TEST(GgufParse, RefusesStrangeAlignments) {
  for (const std::uint32_t alignment : {0u, 1u, 4u, 24u, 1u << 21, 0x80000000u})
    EXPECT_THAT(RawGguf(0, 1).u32_value("general.alignment", alignment).problem(),
                HasSubstr("expected a power of two from 8 to 1048576"));
  EXPECT_THAT(RawGguf(0, 1).string("general.alignment").type(Type::string).string("32").problem(),
              HasSubstr("\"general.alignment\" is a string"));
}

TEST(GgufParse, ObeysTheAlignmentOfTheFile) {
  const auto content = RawGguf(1, 1)
                           .u32_value("general.alignment", 256)
                           .tensor("x", {1}, f32, 256)
                           .data(260, 256)
                           .parse();
  ASSERT_TRUE(content.ok()) << content.error().what.en;
  EXPECT_EQ(content->data_offset % 256, 0u);
}

TEST(GgufParse, RefusesBadShapes) {
  EXPECT_THAT(RawGguf(1, 0).tensor("x", {1, 1, 1, 1, 1}, f32, 0).problem(),
              HasSubstr("tensor \"x\" at offset 33: it has 5 dimensions"));
  EXPECT_THAT(RawGguf(1, 0).tensor("x", {3, 0}, f32, 0).problem(), HasSubstr("dimension 1 is 0"));
  EXPECT_THAT(RawGguf(1, 0).tensor("x", {1ull << 32, 1ull << 32}, f32, 0).problem(),
              HasSubstr("product overflows"));
  EXPECT_THAT(RawGguf(1, 0).tensor("x", {1ull << 62}, f32, 0).problem(),
              HasSubstr("its size in bytes overflows"));
  EXPECT_THAT(RawGguf(1, 0).tensor("x", {33, 2}, q4_0, 0).problem(),
              HasSubstr("a row of 33 elements is no whole number of q4_0 blocks of 32"));
}

TEST(GgufParse, RefusesUnknownTensorTypes) {
  for (const std::uint32_t type : {4u, 31u, 1000u, 0xffffffffu})
    EXPECT_THAT(RawGguf(1, 0).tensor("x", {32}, type, 0).problem(),
                HasSubstr("is unknown or withdrawn"));
}

TEST(GgufParse, RefusesBadTensorNames) {
  EXPECT_THAT(RawGguf(1, 0).tensor("", {1}, f32, 0).number(0).problem(),
              HasSubstr("a tensor has no name"));
  EXPECT_THAT(RawGguf(1, 0).tensor(std::string(1025, 'n'), {1}, f32, 0).problem(),
              HasSubstr("at most 1024 are allowed"));
  EXPECT_THAT(RawGguf(2, 0).tensor("x", {1}, f32, 0).tensor("x", {1}, f32, 32).data(64).problem(),
              HasSubstr("tensor \"x\" at offset 57: appears twice"));
}

TEST(GgufParse, NamesWithControlCharactersCannotForgeAMessage) {
  EXPECT_THAT(RawGguf(1, 0).tensor("x\nerror: \x1b[2J", {0}, f32, 0).problem(),
              HasSubstr("tensor \"x\\nerror: \\x1b[2J\""));
}

TEST(GgufParse, RefusesOffsetsOffTheAlignment) {
  EXPECT_THAT(RawGguf(1, 0).tensor("x", {1}, f32, 8).data(64).problem(),
              HasSubstr("its offset 8 is no multiple of the alignment 32"));
}

TEST(GgufParse, RefusesDataBeyondTheEndAndSaysHowMuchIsMissing) {
  const auto parsed =
      RawGguf(2, 0).tensor("x", {8}, f32, 0).tensor("y", {8}, f32, 32).data(64).cut(3).parse();
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.error().code, ErrorCode::bad_input);
  EXPECT_THAT(parsed.error().what.en,
              HasSubstr("tensor \"y\" at offset 57: its 32 bytes at data offset 32 lie beyond"));
  EXPECT_THAT(parsed.error().hint.en, HasSubstr("cut short by 3 bytes"));
  EXPECT_THAT(RawGguf(1, 0).tensor("x", {1}, f32, huge - 31).data(64).problem(),
              HasSubstr("lie beyond the end"));
}

TEST(GgufParse, RefusesTensorsThatOverlap) {
  EXPECT_THAT(RawGguf(2, 0).tensor("x", {1}, f32, 32).tensor("y", {9}, f32, 0).data(64).problem(),
              HasSubstr("tensor \"x\" at offset 24: its data at 32 overlaps that of tensor \"y\""));
  EXPECT_THAT(RawGguf(2, 0).tensor("x", {1}, f32, 0).tensor("y", {1}, f32, 0).data(64).problem(),
              HasSubstr("overlaps"));
  EXPECT_TRUE(
      RawGguf(2, 0).tensor("x", {1}, f32, 64).tensor("y", {1}, f32, 0).data(96).parse().ok())
      << "gaps are allowed";
}

TEST(GgufParse, EveryCutOfAFileIsRefusedAndSaysWhere) {
  const RawGguf whole = RawGguf(1, 2)
                            .u32_value("a", 1)
                            .string("b")
                            .type(Type::array)
                            .type(Type::string)
                            .number(std::uint64_t{2})
                            .string("one")
                            .string("two")
                            .tensor("x", {2}, f32, 0)
                            .data(8);
  ASSERT_TRUE(whole.parse().ok());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto parsed = parse_gguf(whole.bytes().first(size), "model.gguf");
    ASSERT_FALSE(parsed.ok()) << size;
    EXPECT_EQ(parsed.error().code, ErrorCode::bad_input);
    EXPECT_THAT(parsed.error().what.en, AllOf(StartsWith("model.gguf: "), HasSubstr("at offset ")));
    EXPECT_THAT(parsed.error().hint.en, HasSubstr("cut short"));
  }
}

}  // namespace
}  // namespace premise
