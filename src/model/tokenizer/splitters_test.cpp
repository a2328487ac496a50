// Laws of splitting that hold for every pattern, and the corners where the patterns differ.
#include "model/tokenizer/splitters.h"

#include <gmock/gmock.h>

#include "model/tokenizer/char_scan.h"
#include "model/tokenizer/pretokenizer.h"
#include "model/tokenizer/unicode_classes.h"

namespace premise {
namespace {

using testing::ElementsAre;

std::vector<std::string> parts(Splitter splitter, std::string_view text) {
  std::vector<std::size_t> ends;
  splitter(text, 0, ends);
  std::vector<std::string> out;
  std::size_t start = 0;
  for (const std::size_t end : ends) {
    out.emplace_back(text.substr(start, end - start));
    start = end;
  }
  EXPECT_EQ(start, text.size());
  return out;
}

TEST(Splitters, ContractionsDependOnCaseOnlyInGpt2) {
  EXPECT_THAT(parts(split_gpt2, "it's IT'S"), ElementsAre("it", "'s", " IT", "'", "S"));
  EXPECT_THAT(parts(split_llama3, "it's IT'S"), ElementsAre("it", "'s", " IT", "'S"));
  EXPECT_THAT(parts(split_o200k, "it's IT'S"), ElementsAre("it's", " IT'S"));
  EXPECT_THAT(parts(split_tekken, "it's"), ElementsAre("it", "'s"));
  EXPECT_THAT(parts(split_llama3, "a'\xC5\xBF"), ElementsAre("a", "'\xC5\xBF"));
}

TEST(Splitters, DigitsAreGroupedAsEachFamilyDoes) {
  EXPECT_THAT(parts(split_gpt2, " 12345"), ElementsAre(" 12345"));
  EXPECT_THAT(parts(split_llama3, " 12345"), ElementsAre(" ", "123", "45"));
  EXPECT_THAT(parts(split_qwen2, "123"), ElementsAre("1", "2", "3"));
  EXPECT_THAT(parts(split_three_digits, "12345"), ElementsAre("123", "45"));
}

TEST(Splitters, CombiningMarksJoinWordsOnlyInQwen35) {
  EXPECT_THAT(parts(split_qwen2, "e\u0301a"), ElementsAre("e", "\u0301a"));
  EXPECT_THAT(parts(split_qwen35, "e\u0301a"), ElementsAre("e\u0301a"));
}

TEST(Splitters, TheLastSpaceGoesToTheWord) {
  EXPECT_THAT(parts(split_gpt2, "a   b"), ElementsAre("a", "  ", " b"));
  EXPECT_THAT(parts(split_llama3, "a \n\n  b  "), ElementsAre("a", " \n\n", " ", " b", "  "));
  EXPECT_THAT(parts(split_trailing_space, "a b  "), ElementsAre("a b", "  "));
}

TEST(Splitters, CaseSplitsWordsInGpt4o) {
  EXPECT_THAT(parts(split_o200k, "HTTPServer iPhone"), ElementsAre("HTTPServer", " i", "Phone"));
  EXPECT_THAT(parts(split_o200k, "我A"), ElementsAre("我", "A"));
}

TEST(Splitters, EveryPatternReadsAnyBytesAndLosesNone) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += static_cast<char>((i * 73 + i / 5 * 31) & 0xFF);
  for (const char* name : {"gpt-2", "llama-bpe", "qwen2", "qwen35", "gpt-4o", "tekken", "bloom",
                           "deepseek-llm", "deepseek-coder", "deepseek-v3", "starcoder", "falcon",
                           "default", "viking", "seed-coder", "command-r", "mpt", "refact"}) {
    const NamedPreTokenizer* named = find_pretokenizer(name);
    ASSERT_NE(named, nullptr) << name;
    std::vector<std::size_t> ends;
    PreTokenizer(named->steps).split(text, ends);
    EXPECT_EQ(ends.back(), text.size()) << name;
    EXPECT_TRUE(std::is_sorted(ends.begin(), ends.end(), std::less_equal<>())) << name;
  }
}

TEST(Splitters, UnknownNamesAndPatternsAreNotFound) {
  EXPECT_EQ(find_pretokenizer("gpt-5"), nullptr);
  EXPECT_EQ(find_pretokenizer(""), nullptr);
  EXPECT_EQ(find_pattern("\\p{L}"), nullptr);
}

TEST(UnicodeClasses, TheAsciiTableAgreesWithTheFullOne) {
  for (unsigned code = 0; code < 128; ++code) {
    EXPECT_EQ(ascii_classes[code], UnicodeClasses::instance().of(code)) << code;
  }
}

TEST(UnicodeClasses, KnowTheClassesOfTheStandard) {
  const UnicodeClasses& classes = UnicodeClasses::instance();
  EXPECT_EQ(classes.of(U'中') & class_letter, class_caseless);
  EXPECT_EQ(classes.of(0x301), class_mark);
  EXPECT_EQ(classes.of(U'²'), class_number);
  EXPECT_EQ(classes.of(0x3000), class_space);
  EXPECT_EQ(classes.of(0x85), class_space);
  EXPECT_EQ(classes.of(0x200B), 0);
  EXPECT_EQ(classes.of(0x1C89), class_upper);  // new in Unicode 16
  EXPECT_EQ(classes.of(0x110000), 0);
}

TEST(DecodeChar, TakesBrokenBytesOneByOne) {
  for (const char* text : {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE4\xBD", "\x80"}) {
    const Char c = decode_char(text, 0);
    EXPECT_FALSE(c.valid) << text;
    EXPECT_EQ(c.bytes, 1);
    EXPECT_EQ(c.code, 0xFFFDu);
  }
  EXPECT_EQ(decode_char("\xF0\x9F\x98\x80", 0).code, 0x1F600u);
  EXPECT_TRUE(decode_char("", 0).end());
}

}  // namespace
}  // namespace premise
