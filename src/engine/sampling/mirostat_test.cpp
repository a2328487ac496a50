#include "engine/sampling/mirostat.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "engine/sampling/random.h"
#include "engine/sampling/sampler.h"

namespace premise {
namespace {

double surprise_bits(const std::vector<float>& logits, TokenId token) {
  double total = 0.0;
  for (const float logit : logits) total += std::exp(static_cast<double>(logit));
  return -std::log2(std::exp(static_cast<double>(logits[static_cast<std::size_t>(token)])) / total);
}

// Zipf's law, as words follow it; every row in an order of its own.
std::vector<float> zipf_row(Random& random) {
  std::vector<float> logits(500);
  for (std::size_t rank = 0; rank < logits.size(); ++rank)
    logits[rank] = -1.1f * std::log(static_cast<float>(rank + 1));
  for (std::size_t i = logits.size() - 1; i > 0; --i)
    std::swap(logits[i], logits[random.bits() % (i + 1)]);
  return logits;
}

double mean_surprise(float tau, float temperature) {
  Random random(6);
  Sampler sampler({.temperature = temperature, .mirostat = true, .mirostat_tau = tau}, {});
  double sum = 0.0;
  constexpr int draws = 5000;
  for (int i = 0; i < draws; ++i) {
    const std::vector<float> logits = zipf_row(random);
    std::vector<float> row = logits;
    sum += surprise_bits(logits, sampler.draw(row));
  }
  return sum / draws;
}

TEST(Mirostat, holds_the_surprise_near_its_target) {
  for (const float tau : {3.0f, 4.0f, 5.0f})
    EXPECT_NEAR(mean_surprise(tau, 1.0f), static_cast<double>(tau), 0.05) << tau;
}

TEST(Mirostat, takes_temperature_0_for_1) {
  EXPECT_EQ(mean_surprise(4.0f, 0.0f), mean_surprise(4.0f, 1.0f));
}

TEST(Mirostat, falls_back_upon_the_likeliest_token) {
  // 8 equal tokens surprise by 3 bits each; mu = 2 * tau = 1 lets none of them pass.
  Mirostat mirostat({.mirostat = true, .mirostat_tau = 0.5f});
  const std::vector<float> logits(8, 1.0f);
  Candidates candidates;
  const auto row = Distribution::make(logits, 1.0f, 1.0f);
  for (const double uniform : {0.0, 0.5, 0.99})
    EXPECT_EQ(mirostat.draw(row, 0, uniform, candidates), 0);
}

TEST(Mirostat, leaves_out_what_surprises_more_than_mu) {
  // Surprises of 1, 2 and twice 3 bits; mu begins at 2.5 and, without learning, stays there.
  Mirostat mirostat({.mirostat = true, .mirostat_tau = 1.25f, .mirostat_eta = 0.0f});
  const std::vector<float> logits = {std::log(0.5f), std::log(0.25f), std::log(0.125f),
                                     std::log(0.125f)};
  const auto row = Distribution::make(logits, logits[0], 1.0f);
  Candidates candidates;
  EXPECT_EQ(mirostat.draw(row, 0, 0.0, candidates), 0);
  EXPECT_EQ(mirostat.draw(row, 0, 0.66, candidates), 0);
  EXPECT_EQ(mirostat.draw(row, 0, 0.67, candidates), 1);
  EXPECT_EQ(mirostat.draw(row, 0, 0.999999, candidates), 1);
}

TEST(Mirostat, replaces_the_filters) {
  Random random(2);
  SamplingParams filtered{.mirostat = true, .top_k = 1, .top_p = 0.0f, .min_p = 1.0f, .seed = 5};
  SamplingParams bare{.mirostat = true, .seed = 5};
  Sampler first(filtered, {}), second(bare, {});
  for (int i = 0; i < 100; ++i) {
    std::vector<float> row = zipf_row(random), again = row;
    ASSERT_EQ(first.draw(row), second.draw(again));
  }
}

}  // namespace
}  // namespace premise
