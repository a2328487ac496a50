#include "engine/scheduler/guesser.h"

#include <gtest/gtest.h>

namespace premise {
namespace {

using Tokens = std::vector<TokenId>;

TEST(Guesser, goes_on_as_the_text_did_behind_the_same_three_tokens) {
  Guesser guesser;
  EXPECT_EQ(guesser.guess(Tokens{1, 2, 3, 40, 50, 60, 70, 9, 1, 2, 3}, 3), (Tokens{40, 50, 60}));
}

TEST(Guesser, takes_the_latest_occurrence) {
  Guesser guesser;
  EXPECT_EQ(guesser.guess(Tokens{1, 2, 3, 40, 1, 2, 3, 50, 1, 2, 3}, 1), Tokens{50});
}

TEST(Guesser, prolongs_a_repetition_beyond_the_end_of_the_text) {
  Guesser guesser;
  EXPECT_EQ(guesser.guess(Tokens{7, 8, 7, 8, 7}, 3), (Tokens{8, 7, 8}));
}

TEST(Guesser, has_nothing_to_say_about_what_is_new_or_short) {
  Guesser guesser;
  EXPECT_EQ(guesser.guess(Tokens{}, 4), Tokens{});
  EXPECT_EQ(guesser.guess(Tokens{5, 5, 5}, 4), Tokens{});
  EXPECT_EQ(Guesser().guess(Tokens{1, 2, 3, 4, 5, 6}, 4), Tokens{});
  EXPECT_EQ(Guesser().guess(Tokens{1, 2, 3, 40, 1, 2, 3}, 0), Tokens{});
}

TEST(Guesser, reads_a_growing_text_piece_by_piece) {
  Guesser pieces;
  Tokens text;
  for (int i = 0; i < 200; ++i) {
    text.push_back(static_cast<TokenId>(i * i % 7));
    Guesser whole;
    EXPECT_EQ(pieces.guess(text, 3), whole.guess(text, 3)) << i;
  }
}

TEST(Guesser, grows_with_success_and_pauses_ever_longer_without) {
  const Tokens text{7, 8, 7, 8, 7, 8, 7, 8, 7};
  Guesser guesser;
  EXPECT_EQ(guesser.guess(text, 15).size(), 3u);
  guesser.learn(3, 3);
  EXPECT_EQ(guesser.guess(text, 15).size(), 6u);
  guesser.learn(6, 6);
  guesser.learn(12, 12);
  EXPECT_EQ(guesser.guess(text, 100).size(), 15u) << "never longer";
  guesser.learn(15, 4);
  EXPECT_EQ(guesser.guess(text, 15).size(), 4u);
  for (const std::size_t pause : {0u, 1u, 3u, 7u, 15u, 31u, 31u}) {
    guesser.learn(1, 0);
    for (std::size_t i = 0; i < pause; ++i) EXPECT_TRUE(guesser.guess(text, 15).empty());
    EXPECT_EQ(guesser.guess(text, 15).size(), 1u);
  }
  guesser.learn(1, 1);
  EXPECT_EQ(guesser.guess(text, 15).size(), 2u);
}

}  // namespace
}  // namespace premise
