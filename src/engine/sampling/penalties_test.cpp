#include "engine/sampling/penalties.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "engine/sampling/logit_bias.h"
#include "engine/sampling/random.h"
#include "engine/sampling/special_floats.h"

namespace premise {
namespace {

using Logits = std::vector<float>;

Logits penalized(const SamplingParams& params, const std::vector<TokenId>& text, Logits logits) {
  Penalties penalties(params);
  for (const TokenId token : text) penalties.remember(token);
  penalties.apply(logits);
  return logits;
}

TEST(RepetitionPenalty, divides_positive_logits_and_multiplies_negative_ones_once) {
  EXPECT_EQ(penalized({.repetition_penalty = 2.0f}, {0, 1, 1, 2}, {3.0f, -3.0f, 0.0f, 3.0f, -3.0f}),
            (Logits{1.5f, -6.0f, 0.0f, 3.0f, -3.0f}));
}

TEST(FrequencyPenalty, is_subtracted_for_every_occurrence) {
  EXPECT_EQ(penalized({.frequency_penalty = 0.5f}, {1, 1, 1, 2}, {1.0f, 1.0f, 1.0f}),
            (Logits{1.0f, -0.5f, 0.5f}));
}

TEST(PresencePenalty, is_subtracted_once) {
  EXPECT_EQ(penalized({.presence_penalty = 0.5f}, {1, 1, 1, 2}, {1.0f, 1.0f, 1.0f}),
            (Logits{1.0f, 0.5f, 0.5f}));
}

TEST(Penalties, come_in_the_order_of_the_fields) {
  const SamplingParams params{
      .repetition_penalty = 2.0f, .frequency_penalty = 1.0f, .presence_penalty = 0.25f};
  EXPECT_EQ(penalized(params, {0, 0}, {4.0f}), (Logits{4.0f / 2.0f - 2.0f - 0.25f}));
}

TEST(Penalties, that_are_neutral_change_nothing) {
  EXPECT_EQ(penalized({}, {0, 1, 1}, {1.0f, -1.0f}), (Logits{1.0f, -1.0f}));
  EXPECT_EQ(penalized({.repetition_penalty = 2.0f}, {}, {1.0f}), (Logits{1.0f}));
}

TEST(Penalties, ignore_tokens_outside_the_row) {
  EXPECT_EQ(penalized({.presence_penalty = 1.0f}, {-1, 7, 1'000'000, 0}, {1.0f, 1.0f}),
            (Logits{0.0f, 1.0f}));
}

TEST(Penalties, leave_forbidden_tokens_forbidden) {
  EXPECT_EQ(penalized({.repetition_penalty = 0.5f, .frequency_penalty = -5.0f}, {0}, {-infinity}),
            (Logits{-infinity}));
}

// Counting anew what the window holds must give what counting along gives.
TEST(Penalties, look_back_over_the_window_and_no_further) {
  Random random(4);
  for (const std::size_t window : {1u, 2u, 5u, 64u, 0u}) {
    const SamplingParams params{.penalty_window = window, .frequency_penalty = 1.0f};
    Penalties penalties(params);
    std::vector<TokenId> text;
    for (int step = 0; step < 200; ++step) {
      text.push_back(static_cast<TokenId>(random.bits() % 8));
      penalties.remember(text.back());
      Logits logits(8), expected(8);
      penalties.apply(logits);
      const std::size_t first = window == 0 || text.size() < window ? 0 : text.size() - window;
      for (std::size_t i = first; i < text.size(); ++i)
        expected[static_cast<std::size_t>(text[i])] -= 1.0f;
      ASSERT_EQ(logits, expected) << "window " << window << ", step " << step;
    }
  }
}

Logits biased(const std::vector<std::pair<TokenId, float>>& biases, Logits logits) {
  LogitBias(biases).apply(logits);
  return logits;
}

TEST(LogitBias, adds_up) {
  EXPECT_EQ(biased({{0, 1.5f}, {2, -1.0f}, {0, 1.0f}}, {1.0f, 1.0f, 1.0f}),
            (Logits{3.5f, 1.0f, 0.0f}));
}

TEST(LogitBias, minus_infinity_forbids) {
  EXPECT_EQ(biased({{1, -infinity}}, {1.0f, 9.0f}), (Logits{1.0f, -infinity}));
}

TEST(LogitBias, plus_infinity_leaves_only_its_tokens_and_their_own_logits) {
  EXPECT_EQ(biased({{1, infinity}, {2, infinity}, {0, 50.0f}}, {1.0f, 2.0f, 3.0f, 4.0f}),
            (Logits{-infinity, 2.0f, 3.0f, -infinity}));
}

TEST(LogitBias, plus_infinity_allows_nothing_that_is_forbidden) {
  EXPECT_EQ(biased({{0, infinity}}, {-infinity, 1.0f}), (Logits{-infinity, -infinity}));
  EXPECT_EQ(biased({{0, infinity}, {0, -infinity}}, {2.0f, 1.0f}), (Logits{-infinity, 1.0f}));
}

TEST(LogitBias, ignores_tokens_outside_the_row) {
  EXPECT_EQ(biased({{-1, 5.0f}, {2, 5.0f}, {1 << 30, -infinity}}, {1.0f, 2.0f}),
            (Logits{1.0f, 2.0f}));
  EXPECT_EQ(biased({{7, infinity}}, {1.0f}), (Logits{-infinity}));
}

}  // namespace
}  // namespace premise
