#include "engine/sampling/dry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/sampling/random.h"

namespace premise {
namespace {

using Row = std::vector<float>;
using Text = std::vector<TokenId>;

Row dry_penalized(const SamplingParams& params, const Text& text, std::size_t vocabulary) {
  Dry dry(params);
  for (const TokenId token : text) dry.remember(token);
  Row logits(vocabulary);
  dry.apply(logits);
  return logits;
}

// By the definition: every earlier place is compared backwards with the end of the text.
Row by_definition(const SamplingParams& params, Text text, std::size_t vocabulary) {
  if (params.dry_window > 0 && text.size() > params.dry_window)
    text.erase(text.begin(), text.end() - static_cast<std::ptrdiff_t>(params.dry_window));
  const auto breaks = [&](TokenId token) {
    return std::ranges::count(params.dry_breakers, token) > 0;
  };
  std::vector<std::size_t> longest(vocabulary);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::size_t length = 0;
    while (length < i && text[i - 1 - length] == text[text.size() - 1 - length] &&
           !breaks(text[i - 1 - length]))
      ++length;
    if (!breaks(text[i])) {
      std::size_t& most = longest[static_cast<std::size_t>(text[i])];
      most = std::max(most, length);
    }
  }
  Row logits(vocabulary);
  for (std::size_t token = 0; token < vocabulary; ++token)
    if (longest[token] >= std::max<std::size_t>(params.dry_allowed_length, 1))
      logits[token] -= static_cast<float>(
          static_cast<double>(params.dry_multiplier) *
          std::pow(static_cast<double>(params.dry_base),
                   static_cast<double>(longest[token] - params.dry_allowed_length)));
  return logits;
}

TEST(Dry, penalizes_what_would_prolong_a_repetition) {
  SamplingParams params{.dry_multiplier = 0.8f, .dry_base = 2.0f};
  // "1 2 3 4 … 1 2 3": 4 would prolong a repetition of 3, one more than is allowed.
  EXPECT_EQ(dry_penalized(params, {1, 2, 3, 4, 5, 1, 2, 3}, 6),
            (Row{0.0f, 0.0f, 0.0f, 0.0f, -1.6f, 0.0f}));
  // A repetition of 1 is allowed.
  EXPECT_EQ(dry_penalized(params, {3, 4, 5, 1, 2, 3}, 6), Row(6));
}

TEST(Dry, counts_the_longest_repetition_of_a_token) {
  SamplingParams params{.dry_multiplier = 1.0f, .dry_base = 2.0f, .dry_allowed_length = 1};
  // 9 followed "3" and "2 3": the latter counts.
  EXPECT_EQ(dry_penalized(params, {2, 3, 9, 7, 3, 9, 2, 3}, 10)[9], -2.0f);
}

TEST(Dry, sees_repetitions_that_overlap) {
  SamplingParams params{.dry_multiplier = 1.0f, .dry_base = 2.0f};
  EXPECT_EQ(dry_penalized(params, {1, 1, 1, 1, 1}, 2)[1], -4.0f);
}

TEST(Dry, does_not_reach_across_breakers_nor_penalize_them) {
  SamplingParams params{.dry_multiplier = 1.0f, .dry_base = 2.0f, .dry_breakers = {0}};
  EXPECT_EQ(dry_penalized(params, {1, 0, 2, 3, 4, 1, 0, 2, 3}, 5)[4], -1.0f);
  EXPECT_EQ(dry_penalized(params, {1, 2, 0, 5, 1, 2}, 6)[0], 0.0f);
  EXPECT_EQ(dry_penalized(params, {1, 2, 0, 4, 1, 2, 0}, 6), Row(6));
}

TEST(Dry, equals_its_definition_on_random_texts) {
  Random random(8);
  for (int trial = 0; trial < 400; ++trial) {
    const std::size_t vocabulary = 2 + random.bits() % 4;
    SamplingParams params{.dry_multiplier = 0.7f, .dry_base = 1.1f};
    params.dry_allowed_length = random.bits() % 4;
    params.dry_window = random.bits() % 2 * (random.bits() % 60);
    if (random.bits() % 2) params.dry_breakers = {1, 0};
    Text text(random.bits() % 150);
    for (TokenId& token : text) token = static_cast<TokenId>(random.bits() % vocabulary);
    ASSERT_EQ(dry_penalized(params, text, vocabulary), by_definition(params, text, vocabulary))
        << "trial " << trial;
  }
}

TEST(Dry, forgets_what_left_the_window_in_long_texts) {
  SamplingParams params{.dry_multiplier = 1.0f, .dry_base = 1.0f, .dry_window = 6};
  Text text = {1, 2, 3, 4};
  for (int i = 0; i < 5000; ++i) text.push_back(100 + i);
  for (const TokenId token : {1, 2, 3}) text.push_back(token);
  EXPECT_EQ(dry_penalized(params, text, 6000), Row(6000));
  for (const TokenId token : {4, 2, 3}) text.push_back(token);
  EXPECT_EQ(dry_penalized(params, text, 6000)[4], -1.0f);
}

TEST(Dry, never_forbids) {
  const SamplingParams params{.dry_multiplier = 100.0f, .dry_base = 100.0f};
  const Row logits = dry_penalized(params, Text(3000, 1), 2);
  EXPECT_TRUE(std::isfinite(logits[1]));
  EXPECT_LT(logits[1], -1e37f);
}

TEST(Dry, that_is_off_or_has_no_text_changes_nothing) {
  EXPECT_EQ(dry_penalized({}, {1, 1, 1, 1}, 2), Row(2));
  EXPECT_EQ(dry_penalized({.dry_multiplier = 1.0f}, {}, 2), Row(2));
  EXPECT_EQ(dry_penalized({.dry_multiplier = 1.0f}, {1}, 2), Row(2));
  EXPECT_EQ(dry_penalized({.dry_multiplier = 1.0f}, {-5, 9, -5, 9, -5}, 2), Row(2));
}

TEST(Dry, is_linear_on_the_most_repetitive_text) {
  // At every place the whole text before it agrees: 2e10 comparisons one by one.
  const Row logits = dry_penalized({.dry_multiplier = 1.0f, .dry_base = 1.0f}, Text(200'000, 1), 2);
  EXPECT_EQ(logits[1], -1.0f);
}

}  // namespace
}  // namespace premise
