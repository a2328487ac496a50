#include "model/tokenizer/special_tokens.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace premise {
namespace {

std::string found(const SpecialTokens& tokens, std::string_view text, bool control = true) {
  const auto match = tokens.find(text, 0, control);
  if (!match) return "nothing";
  return std::to_string(match->id) + "@" + std::to_string(match->begin) + "-" +
         std::to_string(match->end);
}

TEST(SpecialTokens, TheLongestOfTheFirstPlaceWins) {
  const SpecialTokens tokens({{"<a", 1}, {"<a>", 2}, {"<a>>", 3}, {"a>>>>>", 4}});
  EXPECT_EQ(found(tokens, "x<a>>>>>"), "3@1-5");
  EXPECT_EQ(found(tokens, "x<a>"), "2@1-4");
  EXPECT_EQ(found(tokens, "x<a"), "1@1-3");
  EXPECT_EQ(found(tokens, "x<"), "nothing");
  EXPECT_EQ(found(tokens, ""), "nothing");
}

TEST(SpecialTokens, ControlTokensAreFoundOnlyWhenAllowed) {
  const SpecialTokens tokens({{"<end>", 1, true}, {"<tool>", 2, false}, {"<tool>!", 3, true}});
  EXPECT_EQ(found(tokens, "<end><tool>!", true), "1@0-5");
  EXPECT_EQ(found(tokens, "<end><tool>!", false), "2@5-11");
}

TEST(SpecialTokens, SwallowTheSpacesTheyAskFor) {
  const SpecialTokens tokens(
      {{"<mask>", 1, false, false, true, false}, {"<end>", 2, false, false, false, true}});
  EXPECT_EQ(found(tokens, "a \u3000<mask> b"), "1@1-11");
  EXPECT_EQ(found(tokens, "<end> \n b"), "2@0-8");
}

TEST(SpecialTokens, AWholeWordTokenIsNotFoundInsideAWord) {
  const SpecialTokens tokens({{"word", 1, false, true}});
  EXPECT_EQ(found(tokens, "sword words _word wordé a word."), "1@27-31");
}

TEST(SpecialTokens, OfEqualTextsTheLowestIdIsFound) {
  const SpecialTokens tokens({{"<x>", 9}, {"<x>", 4}});
  EXPECT_EQ(found(tokens, "<x>"), "4@0-3");
}

// Trusted stretches are in square brackets.
std::string found_in(const SpecialTokens& tokens, std::string_view marked) {
  std::string text;
  TrustedRuns runs;
  bool trusted = false;
  for (const char c : marked) {
    if (c == '[' || c == ']') {
      trusted = c == '[';
      continue;
    }
    text += c;
    runs.append(1, trusted);
  }
  std::string all;
  std::size_t at = 0;
  while (const auto match = tokens.find(text, at, runs)) {
    all += fmt::format("{}@{}-{} ", match->id, match->begin, match->end);
    at = match->end;
  }
  return all;
}

TEST(SpecialTokens, GuardedOnesAreFoundInTrustedBytesOnly) {
  SpecialToken mark{"<m>", 2};
  mark.trusted_only = true;
  const SpecialTokens tokens({{"<c>", 1, true}, mark, {"  ", 3}});
  EXPECT_EQ(found_in(tokens, "[<c>]<c>[<m>]<m>"), "1@0-3 2@6-9 ");
  EXPECT_EQ(found_in(tokens, "[<c]> <[m>]"), "");
  EXPECT_EQ(found_in(tokens, "x [ ] [ ]"), "3@1-3 3@3-5 ");
}

TEST(SpecialTokens, DataCannotBreakUpAMark) {
  const SpecialTokens tokens({{"<c>", 1, true}, {"<b><", 2}, {"<b>", 3}, {">>", 4}, {"c>x", 5}});
  EXPECT_EQ(found_in(tokens, "<b>[<c>]"), "3@0-3 1@3-6 ");  // not "<b><"
  EXPECT_EQ(found_in(tokens, "[<c>]>"), "1@0-3 ");
  EXPECT_EQ(found_in(tokens, "[<b><c>]"), "2@0-4 ");  // within one origin the longest wins
  EXPECT_EQ(found_in(tokens, "<[c>]x"), "5@1-4 ");
}

}  // namespace
}  // namespace premise
