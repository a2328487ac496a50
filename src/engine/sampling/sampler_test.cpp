#include "engine/sampling/sampler.h"
#include "engine/sampling/special_floats.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

namespace premise {
namespace {

// The tokens of `count` draws from the same logits every time.
std::vector<TokenId> draws(const SamplingParams& params, const std::vector<float>& logits,
                           std::size_t count, std::vector<TokenId> prompt = {}) {
  Sampler sampler(params, prompt);
  std::vector<TokenId> tokens;
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<float> row = logits;
    tokens.push_back(sampler.draw(row));
  }
  return tokens;
}

TokenId draw_one(const SamplingParams& params, const std::vector<float>& logits,
                 std::vector<TokenId> prompt = {}) {
  return draws(params, logits, 1, std::move(prompt)).front();
}

std::vector<float> random_logits(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> logits(count);
  for (float& logit : logits) logit = static_cast<float>(random.uniform() * 10.0 - 5.0);
  return logits;
}

TEST(Greedy, takes_the_likeliest_token) {
  for (std::uint64_t seed = 0; seed < 20; ++seed)
    for (const std::size_t count : {1u, 2u, 15u, 16u, 17u, 255u, 256u, 257u, 1000u}) {
      const std::vector<float> logits = random_logits(count, seed);
      const auto expected = std::ranges::max_element(logits) - logits.begin();
      EXPECT_EQ(draw_one({}, logits), expected) << count;
    }
}

TEST(Greedy, takes_the_smallest_of_equal_tokens) {
  std::vector<float> logits(1000, 1.0f);
  EXPECT_EQ(draw_one({}, logits), 0);
  logits[700] = logits[300] = logits[301] = 2.0f;
  EXPECT_EQ(draw_one({}, logits), 300);
}

TEST(Draw, looks_at_finite_logits_only) {
  for (const float temperature : {0.0f, 1.0f}) {
    const SamplingParams params{.temperature = temperature};
    EXPECT_EQ(draw_one(params, {nan, -infinity, -7.0f, infinity, nan}), 2);
    EXPECT_EQ(draw_one(params, {nan, nan}), -1);
    EXPECT_EQ(draw_one(params, {-infinity, infinity, nan}), -1);
    EXPECT_EQ(draw_one(params, {}), -1);
  }
}

TEST(Draw, equal_seeds_give_equal_tokens_and_others_do_not) {
  const std::vector<float> logits = random_logits(1000, 7);
  for (const std::size_t top_k : {0u, 40u}) {
    const SamplingParams first{.temperature = 1.0f, .top_k = top_k, .seed = 1};
    const SamplingParams second{.temperature = 1.0f, .top_k = top_k, .seed = 2};
    EXPECT_EQ(draws(first, logits, 100), draws(first, logits, 100));
    EXPECT_NE(draws(first, logits, 100), draws(second, logits, 100));
  }
}

// What one build drew every other must draw: these tests run under two compilers.
TEST(Draw, gives_the_same_tokens_on_every_machine) {
  const std::vector<float> logits = random_logits(1000, 1);
  EXPECT_EQ(draws({.temperature = 1.0f, .seed = 42}, logits, 8),
            (std::vector<TokenId>{835, 321, 995, 692, 815, 558, 137, 565}));
  EXPECT_EQ(draws({.temperature = 0.7f, .top_p = 0.9f, .seed = 42}, logits, 8),
            (std::vector<TokenId>{833, 297, 996, 652, 815, 546, 137, 558}));
  EXPECT_EQ(draws({.temperature = 1.2f, .typical_p = 0.8f, .seed = 42}, logits, 8),
            (std::vector<TokenId>{833, 313, 995, 661, 800, 546, 132, 558}));
}

// Pearson's statistic of draws against softmax(logits / temperature) over `tokens`.
double chi_square(const std::vector<TokenId>& drawn, const std::vector<float>& logits,
                  float temperature, std::size_t tokens) {
  std::vector<double> weights(tokens);
  double total = 0.0;
  for (std::size_t i = 0; i < tokens; ++i)
    total += weights[i] = std::exp(static_cast<double>(logits[i] / temperature));
  std::vector<double> counts(tokens);
  for (const TokenId token : drawn) counts.at(static_cast<std::size_t>(token)) += 1.0;
  double sum = 0.0;
  for (std::size_t i = 0; i < tokens; ++i) {
    const double expected = static_cast<double>(drawn.size()) * weights[i] / total;
    sum += (counts[i] - expected) * (counts[i] - expected) / expected;
  }
  return sum;
}

// The logits fall, so that the first tokens are the likeliest.
const std::vector<float> falling = {2.0f, 1.8f, 1.0f, 0.5f, 0.0f, -0.4f, -1.0f, -1.1f};

TEST(Draw, follows_the_probabilities) {
  for (const float temperature : {0.7f, 1.0f, 2.0f}) {
    const auto drawn = draws({.temperature = temperature, .seed = 11}, falling, 20'000);
    EXPECT_LT(chi_square(drawn, falling, temperature, 8), 24.3);  // 7 degrees, 1 in 1,000
  }
}

TEST(Draw, follows_the_renormalized_probabilities_behind_filters) {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    const auto by_k = draws({.temperature = 1.0f, .top_k = 4, .seed = seed}, falling, 20'000);
    EXPECT_LT(chi_square(by_k, falling, 1.0f, 4), 16.3);  // 3 degrees, 1 in 1,000
    const auto by_p = draws({.temperature = 1.0f, .top_p = 0.85f, .seed = seed}, falling, 20'000);
    EXPECT_LT(chi_square(by_p, falling, 1.0f, 4), 16.3);
  }
}

TEST(Draw, reaches_every_block_of_a_wide_row) {
  std::vector<float> logits(1000, -infinity);
  const std::vector<std::size_t> alive = {3, 255, 256, 600, 999};
  for (const std::size_t token : alive) logits[token] = 1.0f;
  std::map<TokenId, int> counts;
  for (const TokenId token : draws({.temperature = 1.0f}, logits, 5000)) ++counts[token];
  ASSERT_EQ(counts.size(), alive.size());
  for (const std::size_t token : alive)
    EXPECT_NEAR(counts[static_cast<TokenId>(token)], 1000, 120) << token;
}

TEST(Temperature, any_positive_value_draws_something_sensible) {
  const std::vector<float> logits = {1.0f, 3.0f, 2.0f};
  for (const float cold : {1e-45f, 1e-38f, 1e-6f})
    EXPECT_EQ(draws({.temperature = cold}, logits, 20), std::vector<TokenId>(20, 1));
  std::map<TokenId, int> counts;
  for (const TokenId token : draws({.temperature = 100.0f}, logits, 3000)) ++counts[token];
  for (TokenId token = 0; token < 3; ++token) EXPECT_NEAR(counts[token], 1000, 120);
}

TEST(Sampler, applies_bias_then_penalties_then_chooses) {
  // (1 + 5) / 2 = 3 loses against 4; penalized before the bias it would have been 5.5.
  const SamplingParams params{.logit_bias = {{0, 5.0f}}, .repetition_penalty = 2.0f};
  EXPECT_EQ(draw_one(params, {1.0f, 4.0f}, {0}), 1);
  EXPECT_EQ(draw_one(params, {1.0f, 4.0f}), 0);
}

TEST(Sampler, applies_the_temperature_before_the_filters) {
  // Of 0.6, 0.3, 0.1 the first alone reaches 0.5; at temperature 4 two are needed.
  const std::vector<float> logits = {std::log(0.6f), std::log(0.3f), std::log(0.1f)};
  const auto distinct = [&](float temperature) {
    std::map<TokenId, int> counts;
    const SamplingParams params{.temperature = temperature, .top_p = 0.5f};
    for (const TokenId token : draws(params, logits, 200)) ++counts[token];
    return counts.size();
  };
  EXPECT_EQ(distinct(1.0f), 1u);
  EXPECT_EQ(distinct(4.0f), 2u);
}

TEST(Sampler, remembers_what_it_drew) {
  EXPECT_EQ(draws({.presence_penalty = 10.0f}, {3.0f, 2.0f, 1.0f}, 3),
            (std::vector<TokenId>{0, 1, 2}));
  // Left alone the greedy text is 0 0 0 …; DRY breaks the repetition.
  const std::vector<TokenId> text = draws({.dry_multiplier = 5.0f}, {3.0f, 2.0f}, 6);
  EXPECT_EQ(text, (std::vector<TokenId>{0, 0, 0, 1, 0, 0}));
}

TEST(Sampler, that_drew_nothing_goes_on) {
  Sampler sampler({.presence_penalty = 1.0f}, {});
  std::vector<float> nothing(3, nan), row = {1.0f, 2.0f, 3.0f};
  EXPECT_EQ(sampler.draw(nothing), -1);
  EXPECT_EQ(sampler.draw(row), 2);
}

TEST(Sampler, bias_can_force_and_forbid) {
  const std::vector<float> logits = {9.0f, 1.0f, 1.0f};
  EXPECT_EQ(draw_one({.logit_bias = {{0, -infinity}}}, logits), 1);
  EXPECT_EQ(draw_one({.logit_bias = {{2, infinity}}}, logits), 2);
  EXPECT_EQ(draw_one({.logit_bias = {{0, -infinity}, {1, -infinity}, {2, -infinity}}}, logits), -1);
}

TEST(Sampler, moves_and_copies_with_its_state) {
  const std::vector<float> logits = random_logits(50, 3);
  Sampler first({.presence_penalty = 0.5f, .temperature = 1.0f, .seed = 9}, {});
  for (int i = 0; i < 10; ++i) {
    std::vector<float> row = logits;
    first.draw(row);
  }
  Sampler copy = first, moved = std::move(first);
  for (int i = 0; i < 20; ++i) {
    std::vector<float> row = logits, again = logits;
    ASSERT_EQ(copy.draw(row), moved.draw(again));
  }
}

}  // namespace
}  // namespace premise
