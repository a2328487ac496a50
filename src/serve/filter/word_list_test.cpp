#include "serve/filter/word_list.h"

#include <gmock/gmock.h>

#include <set>

namespace premise {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

WordList list_of(std::string lines) {
  const WordText file{"list", std::move(lines)};
  auto parsed = WordList::parse({&file, 1});
  EXPECT_TRUE(parsed.ok()) << (parsed.ok() ? "" : parsed.error().what.en);
  return std::move(*parsed);
}

std::string refusal(std::string lines) {
  const WordText file{"words.txt", std::move(lines)};
  const auto parsed = WordList::parse({&file, 1});
  EXPECT_FALSE(parsed.ok());
  if (parsed.ok()) return "";
  EXPECT_EQ(parsed.error().code, ErrorCode::bad_input);
  EXPECT_FALSE(parsed.error().what.zh.empty());
  return parsed.error().what.en;
}

TEST(WordListFile, HasAWordALine) {
  EXPECT_EQ(list_of("one\ntwo words\n\n# comment\n  三  \r\n\tfour").size(), 4u);
  EXPECT_EQ(list_of("\xEF\xBB\xBFone\r\n").matches("one").size(), 1u);
  EXPECT_EQ(list_of("").size(), 0u);
}

TEST(WordListFile, WordsThatFoldAlikeAreOne) {
  EXPECT_EQ(list_of("Secret\nSECRET\nｓｅｃｒｅｔ\nsec\u200Bret").size(), 1u);
}

TEST(WordListFile, AWordThatBeginsWithANumberSignIsWrittenWide) {
  EXPECT_EQ(list_of("＃tag").masked("a #tag b"), "a **** b");
}

TEST(WordListFile, BadBytesAreNamedByLine) {
  EXPECT_THAT(refusal("good\n法\xB7\xA8\n"), HasSubstr("words.txt, line 2: byte 4 is not UTF-8"));
  EXPECT_THAT(refusal("# \xFF"), HasSubstr("line 1"));
  EXPECT_THAT(refusal("\xEF\xBB\xBFok\n\xE6\xB3"), HasSubstr("line 2: byte 1"));
  EXPECT_EQ(list_of("\uFFFD").size(), 1u)
      << "a replacement character that is written out is a word";
}

TEST(WordListFile, AWordThatIsNothingIsRefused) {
  EXPECT_THAT(refusal("a\n\u200B\u200B"), HasSubstr("line 2: nothing but"));
}

TEST(WordListFile, LengthAndNumberAreBounded) {
  EXPECT_EQ(list_of(std::string(128, 'x')).size(), 1u);
  EXPECT_THAT(refusal(std::string(129, 'x')), HasSubstr("at most 128"));
  EXPECT_THAT(refusal(std::string(WordList::text_bytes_max + 1, '#')), HasSubstr("together"));
  std::string many;
  for (std::size_t i = 0; i <= WordList::words_max; ++i) many += "ab\n";
  EXPECT_THAT(refusal(std::move(many)), HasSubstr("line 1000001: more than 1000000 words"));
}

TEST(WordListFile, SeveralFilesAreOneList) {
  const std::vector<WordText> files = {{"a", "one\n"}, {"b", "two"}, {"c", "one"}};
  const auto parsed = WordList::parse(files);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->size(), 2u);
}

TEST(WordListMatches, LatinWordsMatchAtBordersOnly) {
  const WordList list = list_of("ass\n64");
  EXPECT_EQ(list.masked("class assets Ass. ass's 'ASS' _ass_ 你ass好"),
            "class assets ***. ***'s '***' _***_ 你***好");
  EXPECT_EQ(list.masked("1640 64 六64四 x64"), "1640 ** 六**四 x64");
}

TEST(WordListMatches, ChineseWordsMatchAnywhere) {
  const WordList list = list_of("法轮功\n机密");
  EXPECT_EQ(list.masked("说法轮功了，机密文件"), "说***了，**文件");
  EXPECT_EQ(list.masked("法 轮 功、法*轮*功、法\u200B轮功"), "*****、*****、****");
  EXPECT_EQ(list.masked("方法，轮功"), "方法，轮功") << "across a comma is no word";
}

TEST(WordListMatches, PhrasesMatchAcrossWhiteSpaceAndLines) {
  const WordList list = list_of("top  secret");
  EXPECT_EQ(list.masked("a TOP\n  Secret plan"), "a ************ plan");
  EXPECT_EQ(list.masked("topsecret top-secret"), "topsecret top-secret");
}

TEST(WordListMatches, KoreanAndThaiMatchAtSyllablesAndLetters) {
  EXPECT_EQ(list_of("시발").masked("시발은"), "**은");
  EXPECT_EQ(list_of("가").masked("각 가"), "각 *") << "a syllable is not cut";
  EXPECT_EQ(list_of("か").masked("がか"), "が*");
}

TEST(WordListMatches, MixedWordsMatchWithoutTheirSpaces) {
  const WordList list = list_of("AV女优");
  EXPECT_EQ(list.masked("av 女优 AV女优 xav女优"), "***** **** xav女优");
}

TEST(WordListMatches, AreLeftmostAndLongest) {
  const WordList list = list_of("甲乙\n乙丙丁\n甲乙丙丁戊\n丙");
  EXPECT_THAT(list.matches("甲乙丙丁己"), ElementsAre(ByteRange{0, 6}, ByteRange{6, 9}));
  EXPECT_THAT(list.matches("甲乙丙丁戊"), ElementsAre(ByteRange{0, 15}));
  EXPECT_THAT(list.matches("己"), IsEmpty());
}

TEST(WordListMatches, TellWhetherThereAreAny) {
  const WordList list = list_of("secret");
  EXPECT_TRUE(list.matches_any(std::string(10'000, 'x') + " secret"));
  EXPECT_FALSE(list.matches_any("secrets"));
  EXPECT_FALSE(WordList().matches_any("secret"));
  EXPECT_EQ(WordList().masked("secret"), "secret");
}

TEST(WordListMatches, AMaskHasAsManyCharactersAsItHides) {
  EXPECT_EQ(list_of("straße").masked("STRASSE Straße"), "******* ******");
  EXPECT_EQ(list_of("secret").masked("𝓼𝓮𝓬𝓻𝓮𝓽!"), "******!");
}

// A text of one letter makes every end of it the beginning of a word.
TEST(WordListMatches, RepetitionsCostNoMoreThanAWordsLengthALetter) {
  std::string lines;
  for (int length = 1; length <= 128; ++length) {
    for (int i = 0; i < length; ++i) lines += "哈";
    lines += "\n";
  }
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "哈";
  const auto matches = list_of(lines).matches(text + "好");
  EXPECT_EQ(matches.size(), 20'000u / 128 + 1);
}

}  // namespace
}  // namespace premise
