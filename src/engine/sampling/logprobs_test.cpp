#include "engine/sampling/logprobs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/sampling/random.h"
#include "engine/sampling/special_floats.h"

namespace premise {
namespace {

std::vector<float> finite_logits(std::size_t count, double width, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> logits(count);
  for (float& logit : logits) logit = static_cast<float>((random.uniform() - 0.5) * width);
  return logits;
}

double in_long_double(const std::vector<float>& logits) {
  const long double most = *std::ranges::max_element(logits);
  long double sum = 0.0L;
  for (const float logit : logits) sum += std::exp(static_cast<long double>(logit) - most);
  return static_cast<double>(most + std::log(sum));
}

TEST(LogSumExp, agrees_with_higher_precision) {
  for (const std::size_t count : {1u, 3u, 16u, 255u, 256u, 257u, 5000u, 262'144u})
    for (const double width : {0.0, 1.0, 20.0, 300.0}) {
      const std::vector<float> logits = finite_logits(count, width, count);
      EXPECT_NEAR(log_sum_exp(logits), in_long_double(logits), 2e-7) << count << ", " << width;
    }
}

TEST(LogSumExp, does_not_overflow) {
  EXPECT_DOUBLE_EQ(log_sum_exp(std::vector{3e38f, 3e38f}),
                   static_cast<double>(3e38f) + std::log(2.0));
  EXPECT_NEAR(log_sum_exp(std::vector{-3e38f, 5.0f}), 5.0, 1e-12);
}

TEST(LogSumExp, of_what_is_not_finite) {
  EXPECT_NEAR(log_sum_exp(std::vector{nan, 2.0f, -infinity}), 2.0, 1e-12);
  EXPECT_EQ(log_sum_exp(std::vector{nan, -infinity}), -infinity);
  EXPECT_EQ(log_sum_exp({}), -infinity);
  EXPECT_EQ(log_sum_exp(std::vector{0.0f, infinity}), infinity);
}

TEST(TopLogprobs, are_the_likeliest_in_falling_order) {
  const std::vector<float> logits = finite_logits(10'000, 12.0, 5);
  std::vector<TokenId> order(logits.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<TokenId>(i);
  std::ranges::sort(order, {}, [&](TokenId token) {
    return std::pair{-logits[static_cast<std::size_t>(token)], token};
  });
  const std::vector<TokenLogprob> top = top_logprobs(logits, 50);
  ASSERT_EQ(top.size(), 50u);
  for (std::size_t i = 0; i < top.size(); ++i) {
    EXPECT_EQ(top[i].id, order[i]);
    const double logit = static_cast<double>(logits[static_cast<std::size_t>(order[i])]);
    EXPECT_NEAR(static_cast<double>(top[i].logprob), logit - in_long_double(logits), 2e-6);
  }
}

TEST(TopLogprobs, of_equal_tokens_the_smaller_comes_first) {
  const std::vector<TokenLogprob> top = top_logprobs(std::vector{1.0f, 2.0f, 1.0f, 2.0f, 1.0f}, 3);
  ASSERT_EQ(top.size(), 3u);
  EXPECT_EQ(top[0].id, 1);
  EXPECT_EQ(top[1].id, 3);
  EXPECT_EQ(top[2].id, 0);
}

TEST(TopLogprobs, of_a_whole_row_add_up_to_one) {
  double sum = 0.0;
  const std::vector<TokenLogprob> all = top_logprobs(finite_logits(333, 8.0, 1), 1'000'000);
  for (const TokenLogprob& token : all) sum += std::exp(static_cast<double>(token.logprob));
  EXPECT_EQ(all.size(), 333u);
  EXPECT_NEAR(sum, 1.0, 1e-6);
}

TEST(TopLogprobs, leave_out_what_cannot_occur) {
  const std::vector<TokenLogprob> top = top_logprobs(std::vector{nan, 1.0f, -infinity}, 3);
  ASSERT_EQ(top.size(), 1u);
  EXPECT_EQ(top[0].id, 1);
  EXPECT_EQ(top[0].logprob, 0.0f);
  EXPECT_TRUE(top_logprobs(std::vector{nan, -infinity}, 3).empty());
  EXPECT_TRUE(top_logprobs(std::vector{0.0f, infinity}, 3).empty());
  EXPECT_TRUE(top_logprobs({}, 3).empty());
  EXPECT_TRUE(top_logprobs(std::vector{1.0f}, 0).empty());
}

}  // namespace
}  // namespace premise
