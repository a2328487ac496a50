// What leaves in pieces is what the whole text would have become, and no text waits without need.
#include "serve/filter/stream_filter.h"

#include <gmock/gmock.h>

#include <random>

#include "serve/filter/filter_testing.h"

namespace premise {
namespace {

using testing::ElementsAre;

std::shared_ptr<const WordList> stream_words(const std::string& lines) {
  const WordText file{"list", lines};
  auto parsed = WordList::parse({&file, 1});
  EXPECT_TRUE(parsed.ok()) << (parsed.ok() ? "" : parsed.error().what.en);
  return std::make_shared<WordList>(std::move(*parsed));
}

/// What comes out after each piece, and at the end.
std::vector<std::string> pieces_out(const std::string& lines, std::vector<std::string> pieces,
                                    FilterAction action = FilterAction::mask) {
  StreamFilter filter(stream_words(lines), action);
  std::vector<std::string> out;
  for (const std::string& piece : pieces) out.push_back(filter.feed(piece));
  out.push_back(filter.finish());
  EXPECT_EQ(filter.held_bytes(), 0u);
  return out;
}

TEST(StreamFilter, TextThatCannotBeginAWordLeavesAtOnce) {
  EXPECT_THAT(pieces_out("secret\n机密", {"Hello", " there", ", 你", "好", "。"}),
              ElementsAre("Hello", " there", ", 你", "好", "。", ""));
}

TEST(StreamFilter, WithoutWordsEverythingLeavesAtOnce) {
  EXPECT_THAT(pieces_out("", {"a", "法", " "}), ElementsAre("a", "法", " ", ""));
}

TEST(StreamFilter, OnlyWhatMayStillBecomeAWordWaits) {
  EXPECT_THAT(pieces_out("secret", {"the se", "t of se", "cre", "ts; secr", "et."}),
              ElementsAre("the ", "set of ", "", "secrets; ", "******.", ""));
  EXPECT_THAT(pieces_out("法轮功", {"大法", "官说", "法轮", "功。"}),
              ElementsAre("大", "法官说", "", "***。", ""));
  EXPECT_THAT(pieces_out("法轮功", {"大", "法轮功"}), ElementsAre("大", "***", ""))
      << "no mark and no letter can follow that would make it another word";
}

TEST(StreamFilter, AWordInsideALongerWordDoesNotWait) {
  EXPECT_THAT(pieces_out("ass", {"cla", "ss and a", "ssets"}),
              ElementsAre("cla", "ss and ", "assets", ""));
}

TEST(StreamFilter, ALettersMarksMayStillCome) {
  EXPECT_THAT(pieces_out("cafe", {"cafe", "\u0301 cafe", "\u0331 cafe"}),
              ElementsAre("", "cafe\u0301 ", "****\u0331 ", "****"))
      << "a mark that makes no letter decorates: it is not part of the mask";
}

TEST(StreamFilter, SeparatorsBesideChineseWaitOnlyWithAWordBegun) {
  EXPECT_THAT(pieces_out("法轮", {"好 ", "法 * ", "轮", "!"}),
              ElementsAre("好 ", "", "*****", "!", ""));
  EXPECT_THAT(pieces_out("法轮", {"法 - ", "- 好"}), ElementsAre("", "法 - - 好", ""));
}

TEST(StreamFilter, TooManySeparatorsSettleTheText) {
  EXPECT_THAT(pieces_out("法轮", {"法--------", "-", "轮"}),
              ElementsAre("", "法---------", "轮", ""));
  EXPECT_THAT(pieces_out("法轮", {"法--------", "轮", "."}),
              ElementsAre("", "**********", ".", ""));
}

TEST(StreamFilter, WhiteSpaceThatJoinsMayKeepSeparatorsFromVanishing) {
  EXPECT_THAT(pieces_out("- a", {"本- ", "        ", "a."}),
              ElementsAre("本", "", "***********.", ""))
      << "ten separators stay, though white space among them is one space";
}

TEST(StreamFilter, ACharacterCutAnywhereIsWhole) {
  const std::string text = "说法轮功了";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    std::string joined;
    for (const std::string& part : pieces_out("法轮功", {text.substr(0, cut), text.substr(cut)}))
      joined += part;
    EXPECT_EQ(joined, "说***了") << cut;
  }
}

TEST(StreamFilter, TheLongestOfWordsThatBeginTogetherIsMasked) {
  EXPECT_THAT(pieces_out("法轮\n法轮功", {"法轮", "功", "法轮", "好"}),
              ElementsAre("", "***", "", "**好", ""));
}

TEST(StreamFilter, WhatFollowsAShorterWordIsReadAnew) {
  EXPECT_THAT(pieces_out("甲乙\n乙丙丁\n丙戊\n甲乙丙丁己", {"甲乙丙", "丁", "庚", "甲乙丙戊"}),
              ElementsAre("", "", "**丙丁庚", "****", ""));
}

TEST(StreamFilter, RejectingEndsTheTextBeforeTheFirstWord) {
  StreamFilter filter(stream_words("secret\nsecret garden"), FilterAction::reject);
  EXPECT_EQ(filter.feed("a big sec"), "a big ");
  EXPECT_EQ(filter.feed("ret"), "");
  EXPECT_FALSE(filter.stopped()) << "secretary would pass";
  EXPECT_EQ(filter.feed(" "), "") << "which of the two words it is does not matter";
  EXPECT_TRUE(filter.stopped());
  EXPECT_EQ(filter.feed("more"), "");
  EXPECT_EQ(filter.finish(), "");
  EXPECT_EQ(filter.matches(), 1u);
}

TEST(StreamFilter, LoggingOnlyCounts) {
  StreamFilter filter(stream_words("secret"), FilterAction::log);
  EXPECT_EQ(filter.feed("a se"), "a se");
  EXPECT_EQ(filter.feed("cret secret"), "cret secret");
  EXPECT_EQ(filter.finish(), "");
  EXPECT_EQ(filter.matches(), 2u);
  EXPECT_FALSE(filter.stopped());
}

TEST(StreamFilter, KnowsWhichCharactersItHid) {
  StreamFilter filter(stream_words("法轮"), FilterAction::mask);
  EXPECT_EQ(filter.feed("说法轮好"), "说**好");
  EXPECT_EQ(filter.characters_out(), 4u);
  EXPECT_FALSE(filter.hides(0, 1));
  EXPECT_TRUE(filter.hides(0, 2));
  EXPECT_TRUE(filter.hides(2, 3));
  EXPECT_FALSE(filter.hides(3, 4));
}

// Few letters, so that words are met; everything that folding treats in a way of its own.
const std::vector<std::string>& alphabet() {
  static const std::vector<std::string> pieces = {
      "a",  "B",      "b",       "ｂ",     "s",        "ß",      "ﬁ",        "f",
      "e",  "é",      "e\u0301", "\u0301", "\u0323",   "1",      "①",        "法",
      "轮", "功",     "㍿",      "株",     "か",       "が",     "か\u3099", "ｶ",
      "ﾞ",  "각",     "가",      "ㄱ",     "ㅏ",       "\u1100", "\u1161",   "\u11A8",
      " ",  "\u3000", "\n",      "\r\n",   "\t",       "*",      "-",        "。",
      "，", "(",      "⒜",       "\u200B", "\u00AD",   "\uFE0F", "\u0336",   "😀",
      "≠",  "นี",      "\u0E49",  "\xFF",   "\xE6\xB3", "\xF0",   "U+FFFD",   "\uFFFD",
      "İ",  "ς",      "\u0345",  "\u00A8", "\uFDFA",   "𝐛",      "\u0344"};
  return pieces;
}

std::string random_text(std::mt19937& random, std::size_t pieces) {
  std::string text;
  // A few letters a text: repetition is what makes overlaps.
  std::vector<std::size_t> some;
  for (int i = 0; i < 6; ++i) some.push_back(random() % alphabet().size());
  for (std::size_t i = 0; i < pieces; ++i)
    text += alphabet()[random() % 4 == 0 ? random() % alphabet().size() : some[random() % 6]];
  return text;
}

struct RandomCase {
  std::shared_ptr<const WordList> words;
  std::set<std::u32string> plain_words;
  std::string text;
};

RandomCase random_case(std::mt19937& random) {
  RandomCase made;
  made.text = random_text(random, random() % 40);
  std::string lines;
  for (std::size_t i = 0; i < 1 + random() % 6; ++i) {
    std::string word = random() % 2 == 0 ? random_text(random, 1 + random() % 4) : std::string();
    if (!made.text.empty() && word.empty()) {  // a part of the text
      const std::size_t begin = random() % made.text.size();
      word = made.text.substr(begin, 1 + random() % 9);
    }
    const WordText file{"word", word};
    if (word.find('\n') != word.npos || !WordList::parse({&file, 1})) continue;
    lines += word + "\n";
    // What the file's reader does before folding.
    const std::size_t first = word.find_first_not_of(" \t\r\v\f");
    if (first == word.npos || word[first] == '#') continue;
    if (word.starts_with("\xEF\xBB\xBF")) word.erase(0, 3);
    made.plain_words.insert(plain_word(word));
  }
  const WordText file{"list", lines};
  made.words = std::make_shared<WordList>(*WordList::parse({&file, 1}));
  return made;
}

TEST(StreamFilterProperty, AnyCutsGiveWhatTheWholeTextGives) {
  std::mt19937 random(20261123);
  std::size_t matched = 0;
  for (int round = 0; round < 2500; ++round) {
    const RandomCase made = random_case(random);
    const std::vector<ByteRange> expected = plain_matches(made.plain_words, made.text);
    ASSERT_EQ(made.words->matches(made.text), expected) << made.text;
    matched += expected.size();
    for (int cutting = 0; cutting < 3; ++cutting) {
      StreamFilter filter(made.words, FilterAction::mask);
      std::string out;
      std::string_view rest = made.text;
      while (!rest.empty()) {
        const std::string_view piece = rest.substr(0, 1 + random() % (cutting * 6 + 1));
        rest.remove_prefix(piece.size());
        out += filter.feed(piece);
      }
      out += filter.finish();
      ASSERT_EQ(out, made.words->masked(made.text)) << made.text;
      ASSERT_EQ(filter.matches(), expected.size());
    }
  }
  EXPECT_GT(matched, 700u);
}

TEST(StreamFilterProperty, NothingOfAWordLeavesARejectedText) {
  std::mt19937 random(5);
  for (int round = 0; round < 3000; ++round) {
    const RandomCase made = random_case(random);
    const std::vector<ByteRange> expected = plain_matches(made.plain_words, made.text);
    StreamFilter filter(made.words, FilterAction::reject);
    std::string out;
    for (const char byte : made.text) out += filter.feed({&byte, 1});
    out += filter.finish();
    EXPECT_TRUE(made.text.starts_with(out));
    EXPECT_EQ(filter.stopped(), !expected.empty());
    if (expected.empty())
      EXPECT_EQ(out, made.text);
    else
      EXPECT_LE(out.size(), expected.front().begin) << made.text;
  }
}

// The shortest possible: for whatever waits there is a continuation that makes it part of a word.
TEST(StreamFilterProperty, WhatWaitsMayStillBecomeAWord) {
  std::mt19937 random(77);
  const std::vector<std::string> letters = {"a", "b", "c", " ", "法", "轮", "-", "1"};
  std::size_t waited = 0;
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::string> words;
    std::string lines;
    for (int i = 0; i < 3; ++i) {
      std::string word;
      for (std::size_t n = 1 + random() % 4; n > 0; --n) word += letters[random() % letters.size()];
      words.push_back(word);
      lines += word + "\n";
    }
    std::string text;
    for (std::size_t n = random() % 12; n > 0; --n) text += letters[random() % letters.size()];
    const auto list = stream_words(lines);
    StreamFilter filter(list, FilterAction::mask);
    filter.feed(text);
    if (filter.held_bytes() == 0) continue;
    ++waited;
    const std::size_t settled = text.size() - filter.held_bytes();
    bool justified = false;
    for (const std::string& word : words)
      for (std::size_t from = 0; from <= word.size() && !justified; ++from)
        for (const char* end : {"", " ", "!"})
          for (const char* more : {"", "         "})
            for (const ByteRange& match : list->matches(text + more + word.substr(from) + end))
              justified = justified || (match.begin == settled);
    EXPECT_TRUE(justified) << "[" << text << "] held " << filter.held_bytes() << " of words\n"
                           << lines;
  }
  EXPECT_GT(waited, 500u);
}

}  // namespace
}  // namespace premise
