#include "engine/scheduler/scheduler.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace premise {
namespace {

std::vector<std::size_t> counts(const StepPlan& plan) {
  std::vector<std::size_t> result;
  for (const auto& entry : plan.entries) result.push_back(entry.count);
  return result;
}

// Commits a step in which every entry that wanted logits drew a token.
void commit_all(Scheduler& scheduler, const StepPlan& plan) {
  std::vector<char> drawn;
  for (const auto& entry : plan.entries) drawn.push_back(entry.wants_logits);
  scheduler.commit(plan, {reinterpret_cast<const bool*>(drawn.data()), drawn.size()});
}

TEST(Scheduler, one_request_is_its_prompt_then_one_token_a_step) {
  KvCache cache({{0, 100}}, 32);
  Scheduler scheduler({.tokens_per_step = 512, .sequences = 4}, cache);
  scheduler.add(7, 10, 3);
  auto plan = scheduler.plan();
  ASSERT_EQ(counts(plan), (std::vector<std::size_t>{10}));
  EXPECT_TRUE(plan.entries[0].wants_logits);
  commit_all(scheduler, plan);
  plan = scheduler.plan();
  ASSERT_EQ(counts(plan), (std::vector<std::size_t>{1}));
  EXPECT_EQ(plan.entries[0].first, 10u);
}

TEST(Scheduler, a_long_prompt_is_read_in_chunks_and_only_the_last_wants_logits) {
  KvCache cache({{0, 100}}, 32);
  Scheduler scheduler({.tokens_per_step = 64, .sequences = 1}, cache);
  scheduler.add(1, 150, 1);
  std::vector<std::size_t> sizes;
  for (int i = 0; i < 3; ++i) {
    const auto plan = scheduler.plan();
    sizes.push_back(plan.tokens);
    EXPECT_EQ(plan.entries[0].wants_logits, i == 2);
    commit_all(scheduler, plan);
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{64, 64, 22}));
}

TEST(Scheduler, those_who_generate_go_before_prompts) {
  KvCache cache({{0, 100}}, 32);
  Scheduler scheduler({.tokens_per_step = 16, .sequences = 4}, cache);
  scheduler.add(1, 4, 8);
  commit_all(scheduler, scheduler.plan());
  scheduler.add(2, 100, 8);
  const auto plan = scheduler.plan();
  EXPECT_EQ(counts(plan), (std::vector<std::size_t>{1, 15}));
  EXPECT_EQ(plan.entries[0].request, 1u);
}

TEST(Scheduler, a_request_waits_until_the_cache_can_hold_all_of_it) {
  KvCache cache({{0, 4}}, 32);  // 128 positions
  Scheduler scheduler({.tokens_per_step = 64, .sequences = 4}, cache);
  EXPECT_TRUE(scheduler.fits(128));
  EXPECT_FALSE(scheduler.fits(129));
  scheduler.add(1, 60, 30);
  scheduler.add(2, 40, 30);
  const auto plan = scheduler.plan();
  EXPECT_EQ(plan.entries.size(), 1u);
  EXPECT_EQ(scheduler.waiting(), 1u);
  commit_all(scheduler, plan);
  EXPECT_TRUE(scheduler.finish(1));
  EXPECT_EQ(scheduler.plan().entries[0].request, 2u);
}

TEST(Scheduler, finish_takes_a_request_out_of_the_queue_or_the_batch_once) {
  KvCache cache({{0, 8}}, 32);
  Scheduler scheduler({.tokens_per_step = 64, .sequences = 1}, cache);
  scheduler.add(1, 10, 10);
  scheduler.add(2, 10, 10);
  static_cast<void>(scheduler.plan());
  EXPECT_TRUE(scheduler.finish(2));
  EXPECT_TRUE(scheduler.finish(1));
  EXPECT_FALSE(scheduler.finish(1));
  EXPECT_TRUE(scheduler.plan().empty());
  EXPECT_EQ(cache.blocks_free(0), 8u);
}

// Whatever arrives and leaves, every token of every request is computed once and in order, a step
// keeps to its limits, and an idle scheduler holds no block.
TEST(Scheduler, every_token_is_computed_once_and_in_order_under_random_load) {
  std::mt19937 random(3);
  KvCache cache({{0, 40}, {20, 30}}, 8);
  const SchedulerLimits limits{.tokens_per_step = 24, .sequences = 5};
  Scheduler scheduler(limits, cache);
  struct Expectation {
    std::size_t next = 0, known = 0, total = 0;
  };
  std::map<RequestId, Expectation> live;
  RequestId next_id = 1;
  for (int round = 0; round < 20000; ++round) {
    if (round < 19000 && random() % 3 == 0) {
      const std::size_t prompt = 1 + random() % 60, answer = 1 + random() % 40;
      if (scheduler.fits(prompt + answer)) {
        live[next_id] = {0, prompt, prompt + answer};
        scheduler.add(next_id++, prompt, answer);
      }
    }
    const auto plan = scheduler.plan();
    ASSERT_LE(plan.tokens, limits.tokens_per_step);
    ASSERT_LE(plan.entries.size(), limits.sequences);
    ASSERT_EQ(plan.empty(), live.empty());
    std::vector<RequestId> ended;
    for (const auto& entry : plan.entries) {
      auto& expected = live.at(entry.request);
      ASSERT_EQ(entry.first, expected.next);
      expected.next += entry.count;
      ASSERT_EQ(entry.wants_logits, expected.next == expected.known);
      if (entry.wants_logits && ++expected.known == expected.total) ended.push_back(entry.request);
    }
    commit_all(scheduler, plan);
    for (const auto id : ended) {
      ASSERT_TRUE(scheduler.finish(id));
      live.erase(id);
    }
    if (round % 97 == 0 && !live.empty()) {  // somebody gives up
      ASSERT_TRUE(scheduler.finish(live.begin()->first));
      live.erase(live.begin());
    }
  }
  while (!live.empty()) {
    ASSERT_TRUE(scheduler.finish(live.begin()->first));
    live.erase(live.begin());
  }
  EXPECT_EQ(cache.open_sequences(), 0u);
  EXPECT_EQ(cache.blocks_free(0), 40u);
  EXPECT_EQ(cache.blocks_free(1), 30u);
}

}  // namespace
}  // namespace premise
