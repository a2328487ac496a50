#include "base/nearest.h"

#include <gtest/gtest.h>

#include <vector>

namespace premise {
namespace {

TEST(EditDistance, CountsInsertionsDeletionsSubstitutionsAndSwaps) {
  EXPECT_EQ(edit_distance("pull", "pull"), 0U);
  EXPECT_EQ(edit_distance("pul", "pull"), 1U);
  EXPECT_EQ(edit_distance("puull", "pull"), 1U);
  EXPECT_EQ(edit_distance("pill", "pull"), 1U);
  EXPECT_EQ(edit_distance("lsit", "list"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("", "list"), 4U);
}

TEST(EditDistance, IsSymmetricAndIgnoresCase) {
  EXPECT_EQ(edit_distance("saturday", "sunday"), edit_distance("sunday", "saturday"));
  EXPECT_EQ(edit_distance("PULL", "pull"), 0U);
}

const std::vector<std::string> commands = {"pull", "list", "complete", "perplexity", "tokenize"};

TEST(Nearest, FindsWhatWasMeant) {
  EXPECT_EQ(nearest("lsit", commands), "list");
  EXPECT_EQ(nearest("tokenise", commands), "tokenize");
  EXPECT_EQ(nearest("Pull", commands), "pull");
}

TEST(Nearest, TakesABeginningForTheName) {
  EXPECT_EQ(nearest("perp", commands), "perplexity");
  EXPECT_EQ(nearest("comp", commands), "complete");
}

TEST(Nearest, SuggestsNothingFarFetched) {
  EXPECT_EQ(nearest("frobnicate", commands), std::nullopt);
  EXPECT_EQ(nearest("", commands), std::nullopt);
  EXPECT_EQ(nearest(std::string(100'000, 'x'), commands), std::nullopt);
}

}  // namespace
}  // namespace premise
