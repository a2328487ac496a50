#include "engine/sampling/filters.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <vector>

#include "engine/sampling/random.h"
#include "engine/sampling/special_floats.h"

namespace premise {
namespace {

// The rules as their papers write them: probabilities of everything, sorted. Of the rows below none
// has two tokens so nearly equal that rounding decides between them.
class SortedReference {
 public:
  SortedReference(const std::vector<float>& logits, float temperature) : logits_(logits) {
    for (std::size_t i = 0; i < logits.size(); ++i)
      if (std::isfinite(logits[i])) alive_.push_back(i);
    scaled_.assign(logits.size(), 0.0);
    const float most = *std::ranges::max_element(logits);
    for (const std::size_t i : alive_)
      scaled_[i] = static_cast<double>(logits[i] - most) / static_cast<double>(temperature);
  }

  void keep_top_k(std::size_t k) {
    sort_by([&](std::size_t i) { return -static_cast<double>(logits_[i]); });
    alive_.resize(std::min(k, alive_.size()));
  }
  void keep_typical(double p) {
    double entropy = 0.0;
    for (const std::size_t i : alive_) entropy -= probability(i) * std::log(probability(i));
    sort_by([&](std::size_t i) { return std::abs(-std::log(probability(i)) - entropy); });
    cut(p);
  }
  void keep_top_p(double p) {
    sort_by([&](std::size_t i) { return -static_cast<double>(logits_[i]); });
    cut(p);
  }
  void keep_min_p(double p) {
    double most = 0.0;
    for (const std::size_t i : alive_) most = std::max(most, probability(i));
    const double least = p * most;
    std::vector<std::size_t> kept;
    for (const std::size_t i : alive_)
      if (probability(i) >= least) kept.push_back(i);
    alive_ = kept;
  }

  std::vector<TokenId> tokens() const {
    std::vector<TokenId> tokens(alive_.begin(), alive_.end());
    std::ranges::sort(tokens);
    return tokens;
  }

 private:
  double probability(std::size_t token) const {
    double total = 0.0;
    for (const std::size_t i : alive_) total += std::exp(scaled_[i]);
    return std::exp(scaled_[token]) / total;
  }
  void sort_by(const std::function<double(std::size_t)>& key) {
    std::vector<std::pair<double, std::size_t>> keyed;
    for (const std::size_t i : alive_) keyed.emplace_back(key(i), i);
    std::ranges::sort(keyed);
    for (std::size_t i = 0; i < keyed.size(); ++i) alive_[i] = keyed[i].second;
  }
  void cut(double p) {
    std::size_t count = 0;
    for (double sum = 0.0; count < alive_.size() && (count == 0 || sum < p); ++count)
      sum += probability(alive_[count]);
    alive_.resize(count);
  }

  std::vector<float> logits_;
  std::vector<double> scaled_;
  std::vector<std::size_t> alive_;
};

std::vector<TokenId> filtered(const SamplingParams& params, const std::vector<float>& logits) {
  Candidates candidates;
  filter(params, Distribution::make(logits, peak(logits).logit, params.temperature), candidates);
  std::vector<TokenId> tokens;
  for (const Candidate& candidate : candidates) tokens.push_back(candidate.token);
  return tokens;
}

std::vector<TokenId> by_reference(const SamplingParams& params, const std::vector<float>& logits) {
  SortedReference reference(logits, params.temperature);
  if (params.top_k > 0) reference.keep_top_k(params.top_k);
  if (params.typical_p < 1.0f) reference.keep_typical(static_cast<double>(params.typical_p));
  if (params.top_p < 1.0f) reference.keep_top_p(static_cast<double>(params.top_p));
  if (params.min_p > 0.0f) reference.keep_min_p(static_cast<double>(params.min_p));
  return reference.tokens();
}

std::vector<float> random_logits(std::size_t count, double width, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> logits(count);
  for (float& logit : logits) {
    logit = static_cast<float>((random.uniform() + random.uniform() + random.uniform()) * width);
    if (random.uniform() < 0.05) logit = -infinity;
    if (random.uniform() < 0.02) logit = std::numeric_limits<float>::quiet_NaN();
  }
  logits[count / 2] = static_cast<float>(3.0 * width);
  return logits;
}

void expect_as_reference(SamplingParams params) {
  for (const float temperature : {0.5f, 1.0f, 1.5f})
    for (const std::size_t count : {1u, 5u, 16u, 100u, 700u})
      for (const double width : {0.6, 4.0, 30.0}) {
        params.temperature = temperature;
        const std::vector<float> logits = random_logits(count, width, count);
        std::vector<float> clean = logits;
        for (float& logit : clean) logit = std::isnan(logit) ? -infinity : logit;
        EXPECT_EQ(filtered(params, logits), by_reference(params, clean))
            << count << " tokens, width " << width << ", temperature " << temperature;
      }
}

TEST(TopK, keeps_the_k_likeliest) {
  for (const std::size_t k : {1u, 2u, 17u, 40u, 699u, 5000u}) expect_as_reference({.top_k = k});
}

TEST(TopK, keeps_the_smaller_of_equal_tokens) {
  const std::vector<float> logits = {1.0f, 2.0f, 1.0f, 1.0f, 2.0f, 1.0f};
  EXPECT_EQ(filtered({.temperature = 1.0f, .top_k = 4}, logits),
            (std::vector<TokenId>{0, 1, 2, 4}));
}

TEST(TopK, forgets_the_lesser_tokens_of_a_wide_row_in_time) {
  std::vector<float> rising(20'000);
  std::iota(rising.begin(), rising.end(), 0.0f);
  const std::vector<TokenId> top = filtered({.temperature = 1e9f, .top_k = 100}, rising);
  ASSERT_EQ(top.size(), 100u);
  EXPECT_EQ(top.front(), 19'900);
  std::ranges::reverse(rising);
  EXPECT_EQ(filtered({.temperature = 1.0f, .top_k = 1500}, rising).back(), 1499);
  const std::vector<float> equal(20'000, 3.0f);
  EXPECT_EQ(filtered({.temperature = 1.0f, .top_k = 1500}, equal).back(), 1499);
}

TEST(TopP, keeps_the_fewest_likeliest_that_reach_p) {
  for (const float p : {0.1f, 0.5f, 0.9f, 0.999f}) expect_as_reference({.top_p = p});
}

TEST(Typical, keeps_the_fewest_of_most_expected_surprise_that_reach_p) {
  for (const float p : {0.1f, 0.5f, 0.9f, 0.999f}) expect_as_reference({.typical_p = p});
}

TEST(MinP, keeps_what_is_at_least_p_times_the_likeliest) {
  for (const float p : {0.001f, 0.05f, 0.3f, 1.0f}) expect_as_reference({.min_p = p});
}

TEST(Filters, work_one_upon_the_other_in_the_order_of_the_fields) {
  expect_as_reference({.top_k = 30, .typical_p = 0.9f, .top_p = 0.9f, .min_p = 0.02f});
  expect_as_reference({.typical_p = 0.8f, .top_p = 0.8f});
  expect_as_reference({.top_p = 0.95f, .min_p = 0.1f});
  expect_as_reference({.top_k = 10, .min_p = 0.1f});
  // Of four tokens of 0.4, 0.3, 0.2, 0.1 the first two hold 0.7: 0.75 of them takes both, while
  // 0.75 of all would have taken three.
  const std::vector<float> logits = {std::log(0.4f), std::log(0.3f), std::log(0.2f),
                                     std::log(0.1f)};
  EXPECT_EQ(filtered({.temperature = 1.0f, .top_k = 2, .top_p = 0.75f}, logits).size(), 2u);
  EXPECT_EQ(filtered({.temperature = 1.0f, .top_p = 0.75f}, logits).size(), 3u);
}

TEST(Filters, always_leave_a_token) {
  const std::vector<float> logits = random_logits(300, 3.0, 9);
  EXPECT_EQ(filtered({.temperature = 1.0f, .top_p = 0.0f}, logits).size(), 1u);
  EXPECT_EQ(filtered({.temperature = 1.0f, .typical_p = 0.0f}, logits).size(), 1u);
  EXPECT_EQ(filtered({.temperature = 1.0f, .min_p = 1.0f}, logits).size(), 1u);
  EXPECT_EQ(
      filtered({.temperature = 1.0f, .top_k = 1, .typical_p = 0.0f, .top_p = 0.0f, .min_p = 1.0f},
               logits)
          .size(),
      1u);
  // The mean lies between two far tokens; no other token is near it.
  EXPECT_EQ(filtered({.temperature = 1.0f, .typical_p = 0.0f}, {0.0f, 0.0f, -30.0f}).size(), 1u);
}

TEST(TopP, of_a_flat_wide_row_is_its_share) {
  const std::vector<float> equal(100'000, -2.5f);
  const std::vector<TokenId> kept = filtered({.temperature = 1.0f, .top_p = 0.25f}, equal);
  EXPECT_NEAR(static_cast<double>(kept.size()), 25'000.0, 2.0);
  EXPECT_EQ(kept.back() + 1u, kept.size());  // the smaller tokens of equal ones
}

TEST(KeepNearest, finds_the_cut_among_many_with_ties) {
  Candidates candidates;  // some distances occur twice
  for (TokenId token = 0; token < 4096; ++token)
    candidates.push_back({token, -static_cast<float>((token * 2654435761u) % 4093u), 1.0f});
  Candidates sorted = candidates;
  std::ranges::sort(sorted, [](const Candidate& a, const Candidate& b) {
    return a.scaled != b.scaled ? a.scaled > b.scaled : a.token < b.token;
  });
  keep_nearest(0.0, 1000.0, candidates);
  ASSERT_EQ(candidates.size(), 1000u);
  std::vector<TokenId> expected;
  for (std::size_t i = 0; i < 1000; ++i) expected.push_back(sorted[i].token);
  std::ranges::sort(expected);
  for (std::size_t i = 0; i < 1000; ++i) EXPECT_EQ(candidates[i].token, expected[i]);
}

}  // namespace
}  // namespace premise
