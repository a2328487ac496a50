#include "model/tokenizer/stop_strings.h"

#include <gtest/gtest.h>

#include <chrono>
#include <random>

namespace premise {
namespace {

using Strings = std::vector<std::string>;

TEST(StopStrings, TextThatCannotBeginOneIsShownAtOnce) {
  const StopStrings stops(Strings{"###"});
  StopMatcher matcher(stops);
  EXPECT_EQ(matcher.push("plain "), "plain ");
  EXPECT_EQ(matcher.push("text"), "text");
  EXPECT_EQ(matcher.flush(), "");
}

TEST(StopStrings, OnlyTheBeginningOfOneIsHeldBack) {
  const StopStrings stops(Strings{"<end>"});
  StopMatcher matcher(stops);
  EXPECT_EQ(matcher.push("a<e"), "a");
  EXPECT_EQ(matcher.push("n"), "");
  EXPECT_EQ(matcher.push("try"), "<entry");
  EXPECT_EQ(matcher.push("b<"), "b");
  EXPECT_EQ(matcher.flush(), "<");
}

TEST(StopStrings, TextBeforeTheMatchIsShownAndNothingAfterIt) {
  const StopStrings stops(Strings{"END", "\n\n"});
  StopMatcher matcher(stops);
  EXPECT_EQ(matcher.push("one\n"), "one");
  EXPECT_FALSE(matcher.stopped());
  EXPECT_EQ(matcher.push("two\n\nthree"), "\ntwo");
  EXPECT_EQ(matcher.stopped(), 1u);
  EXPECT_EQ(matcher.push("four"), "");
  EXPECT_EQ(matcher.flush(), "");
}

TEST(StopStrings, TheOneThatIsCompleteFirstWins) {
  const StopStrings stops(Strings{"abcd", "bc"});
  StopMatcher matcher(stops);
  EXPECT_EQ(matcher.push("xabcd"), "xa");
  EXPECT_EQ(matcher.stopped(), 1u);
}

TEST(StopStrings, OfThoseThatEndTogetherTheLongestWins) {
  const StopStrings stops(Strings{"c", "bc", "abc"});
  StopMatcher matcher(stops);
  EXPECT_EQ(matcher.push("xab"), "x");
  EXPECT_EQ(matcher.push("c"), "");
  EXPECT_EQ(matcher.stopped(), 2u);
}

TEST(StopStrings, AFailedBeginningMayHideAnother) {
  const StopStrings stops(Strings{"aab"});
  StopMatcher matcher(stops);
  EXPECT_EQ(matcher.push("aaaa"), "aa");
  EXPECT_EQ(matcher.push("b"), "");
  EXPECT_TRUE(matcher.stopped());
}

TEST(StopStrings, EmptyStringsStopNothing) {
  const StopStrings stops(Strings{"", ""});
  EXPECT_TRUE(stops.empty());
  StopMatcher matcher(stops);
  EXPECT_EQ(matcher.push("text"), "text");
}

// What the matcher shows must be what searching the whole text shows, wherever the text is cut.
TEST(StopStrings, AgreeWithASearchOfTheWholeText) {
  std::mt19937 random(3);
  const auto letters = [&random](std::size_t count) {
    std::string text(count, 'a');
    for (char& c : text) c = "ab"[random() % 2];
    return text;
  };
  for (int n = 0; n < 2000; ++n) {
    Strings strings;
    for (std::size_t i = 0; i < 1 + random() % 3; ++i) strings.push_back(letters(2 + random() % 5));
    const std::string text = letters(random() % 40);
    std::size_t first_end = std::string::npos;
    for (const std::string& stop : strings) {
      const std::size_t at = text.find(stop);
      if (at != std::string::npos) first_end = std::min(first_end, at + stop.size());
    }
    std::string expected = text;
    for (const std::string& stop : strings) {
      if (first_end == std::string::npos) break;
      if (!text.substr(0, first_end).ends_with(stop)) continue;
      expected = text.substr(0, std::min(expected.size(), first_end - stop.size()));
    }
    const StopStrings stops(strings);
    StopMatcher matcher(stops);
    std::string shown;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t part = 1 + random() % 4;
      shown += matcher.push(std::string_view(text).substr(at, part));
      at += part;
    }
    shown += matcher.flush();
    EXPECT_EQ(shown, expected) << text;
    EXPECT_EQ(matcher.stopped().has_value(), first_end != std::string::npos);
  }
}

TEST(StopStrings, ALongOneInALongStreamTakesLinearTime) {
  const StopStrings stops(Strings{std::string(100000, 'a') + "b"});
  StopMatcher matcher(stops);
  const auto begin = std::chrono::steady_clock::now();
  std::size_t shown = 0;
  for (int n = 0; n < 300000; ++n) shown += matcher.push("a").size();
  EXPECT_EQ(shown, 200000u);
  EXPECT_EQ(matcher.flush().size(), 100000u);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

}  // namespace
}  // namespace premise
