#include "engine/scheduler/scheduler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace premise {
namespace {

std::vector<std::size_t> counts(const StepPlan& plan) {
  std::vector<std::size_t> result;
  for (const auto& entry : plan.entries) result.push_back(entry.tokens.size());
  return result;
}

std::vector<RequestId> requests(const StepPlan& plan) {
  std::vector<RequestId> result;
  for (const auto& entry : plan.entries) result.push_back(entry.request);
  return result;
}

void add(Scheduler& scheduler, RequestId id, std::size_t prompt, std::size_t answer,
         OwnerId owner = 0) {
  scheduler.add({id, owner, {}, std::vector<TokenId>(prompt, 5), answer});
}

// Commits a step in which every entry that wanted logits drew a token.
void commit_all(Scheduler& scheduler, const StepPlan& plan) {
  std::vector<DrawnTokens> drawn;
  for (const auto& entry : plan.entries)
    drawn.push_back(entry.wants_logits ? DrawnTokens{7} : DrawnTokens{});
  scheduler.commit(plan, drawn);
}

TEST(Scheduler, one_request_is_its_prompt_then_one_token_a_step) {
  KvCache cache({{0, 100}}, 32);
  Scheduler scheduler({.tokens_per_step = 512, .sequences = 4}, cache);
  add(scheduler, 7, 10, 3);
  auto plan = scheduler.plan();
  ASSERT_EQ(counts(plan), (std::vector<std::size_t>{10}));
  EXPECT_TRUE(plan.entries[0].wants_logits);
  commit_all(scheduler, plan);
  plan = scheduler.plan();
  ASSERT_EQ(counts(plan), (std::vector<std::size_t>{1}));
  EXPECT_EQ(plan.entries[0].first, 10u);
  EXPECT_EQ(plan.entries[0].tokens[0], 7);
}

TEST(Scheduler, a_long_prompt_is_read_in_chunks_and_only_the_last_wants_logits) {
  KvCache cache({{0, 100}}, 32);
  Scheduler scheduler({.tokens_per_step = 64, .sequences = 1}, cache);
  add(scheduler, 1, 150, 1);
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
  add(scheduler, 1, 4, 8);
  commit_all(scheduler, scheduler.plan());
  add(scheduler, 2, 100, 8);
  const auto plan = scheduler.plan();
  EXPECT_EQ(counts(plan), (std::vector<std::size_t>{1, 15}));
  EXPECT_EQ(plan.entries[0].request, 1u);
}

// With the costs of the real model, from SchedulerLimits: d a step, p a prompt token.
TEST(Scheduler, a_stream_does_not_stall_while_an_8k_prompt_is_read) {
  for (const double d : {0.012, 0.020}) {
    KvCache cache({{0, 1000}}, 32);
    Scheduler scheduler({.tokens_per_step = 512, .sequences = 4}, cache);
    add(scheduler, 1, 4, 4000);
    std::vector<double> waits;
    bool asked = false;
    while (waits.size() < 3000) {
      if (waits.size() == 1000 && !asked) {
        asked = true;
        add(scheduler, 2, 8192, 1);
      }
      const auto plan = scheduler.plan();
      ASSERT_EQ(plan.entries[0].request, 1u) << "the stream moves in every step";
      waits.push_back(d + static_cast<double>(plan.tokens - 1) / 960.0);
      commit_all(scheduler, plan);
      if (plan.entries.size() == 2 && plan.entries[1].wants_logits) scheduler.finish(2);
    }
    EXPECT_EQ(scheduler.running(), 1u) << "the prompt was read to its end";
    std::ranges::sort(waits);
    EXPECT_LT(waits[waits.size() * 99 / 100], 3.0 * waits[waits.size() / 2]);
  }
}

TEST(Scheduler, a_step_beside_streams_grows_with_the_number_of_prompts) {
  KvCache cache({{0, 1000}}, 32);
  Scheduler scheduler({.tokens_per_step = 512, .sequences = 8, .chunk_beside_decode = 10}, cache);
  add(scheduler, 1, 4, 50);
  commit_all(scheduler, scheduler.plan());
  for (const RequestId id : {2, 3, 4}) add(scheduler, id, 1000, 5);
  EXPECT_EQ(scheduler.plan().tokens, 31u);
}

TEST(Scheduler, many_streams_let_one_prompt_add_more_to_a_step) {
  KvCache cache({{0, 1000}}, 32);
  Scheduler scheduler({.tokens_per_step = 512,
                       .sequences = 32,
                       .chunk_beside_decode = 10,
                       .prompt_tokens_per_decode = 3},
                      cache);
  for (const RequestId id : {1, 2, 3}) add(scheduler, id, 4, 50);
  commit_all(scheduler, scheduler.plan());
  add(scheduler, 10, 1000, 5);
  const auto few = scheduler.plan();
  EXPECT_EQ(counts(few), (std::vector<std::size_t>{1, 1, 1, 10}));
  commit_all(scheduler, few);
  for (const RequestId id : {4, 5, 6}) add(scheduler, id, 2, 50, 7);
  commit_all(scheduler, scheduler.plan());
  EXPECT_EQ(counts(scheduler.plan()), (std::vector<std::size_t>{1, 1, 1, 1, 1, 1, 18}));
}

TEST(Scheduler, a_short_prompt_of_another_owner_overtakes_a_long_one) {
  KvCache cache({{0, 1000}}, 32);
  Scheduler scheduler({.tokens_per_step = 64, .sequences = 4}, cache);
  add(scheduler, 1, 2000, 5, 1);
  commit_all(scheduler, scheduler.plan());
  add(scheduler, 2, 40, 5, 2);
  const auto plan = scheduler.plan();
  EXPECT_EQ(requests(plan), (std::vector<RequestId>{2, 1}));
  EXPECT_EQ(counts(plan), (std::vector<std::size_t>{40, 24}));
}

TEST(Scheduler, the_owner_who_was_served_least_is_admitted_first) {
  KvCache cache({{0, 1000}}, 32);
  Scheduler scheduler({.tokens_per_step = 64, .sequences = 1}, cache);
  for (const RequestId id : {1, 2, 3}) add(scheduler, id, 30, 5, 1);
  commit_all(scheduler, scheduler.plan());
  add(scheduler, 4, 30, 5, 2);
  EXPECT_EQ(scheduler.waiting(), 3u);
  std::vector<RequestId> order;
  while (scheduler.running() > 0 || scheduler.waiting() > 0) {
    const auto plan = scheduler.plan();
    commit_all(scheduler, plan);
    order.push_back(plan.entries[0].request);
    scheduler.finish(order.back());
  }
  EXPECT_EQ(order, (std::vector<RequestId>{1, 4, 2, 3}));
}

TEST(Scheduler, what_could_never_run_does_not_fit) {
  KvCache cache({{0, 4}}, 32);  // 128 positions
  const Scheduler scheduler({.tokens_per_step = 64, .sequences = 4}, cache);
  EXPECT_TRUE(scheduler.fits(128));
  EXPECT_FALSE(scheduler.fits(129));
}

TEST(Scheduler, a_request_waits_until_the_cache_can_hold_what_is_known_of_it) {
  KvCache cache({{0, 4}}, 32);
  Scheduler scheduler({.tokens_per_step = 64, .sequences = 4}, cache);
  add(scheduler, 1, 60, 30);
  add(scheduler, 2, 40, 30);
  const auto plan = scheduler.plan();
  EXPECT_EQ(requests(plan), (std::vector<RequestId>{1}));
  EXPECT_EQ(scheduler.waiting(), 1u);
  commit_all(scheduler, plan);
  EXPECT_TRUE(scheduler.finish(1));
  EXPECT_EQ(scheduler.plan().entries[0].request, 2u);
}

TEST(Scheduler, where_blocks_run_out_the_youngest_is_computed_again_with_what_it_drew) {
  KvCache cache({{0, 6}}, 8);  // 48 positions
  Scheduler scheduler({.tokens_per_step = 64, .sequences = 2}, cache);
  add(scheduler, 1, 8, 40);
  add(scheduler, 2, 8, 24);
  bool again = false;
  for (int step = 0; step < 200 && scheduler.running() + scheduler.waiting() > 0; ++step) {
    const auto plan = scheduler.plan();
    ASSERT_FALSE(plan.empty());
    ASSERT_TRUE(plan.entries[0].request == 1 || scheduler.text(2).size() > 8u);
    for (const auto& entry : plan.entries) {
      if (entry.request != 2 || entry.first > 0 || step == 0) continue;
      again = true;
      EXPECT_GT(entry.tokens.size(), 8u) << "prompt and answer so far, as a prompt";
    }
    commit_all(scheduler, plan);
    for (const auto& entry : plan.entries)
      if (scheduler.text(entry.request).size() == (entry.request == 1 ? 48u : 32u))
        scheduler.finish(entry.request);
  }
  EXPECT_TRUE(again);
  EXPECT_EQ(scheduler.counters().preemptions, 1u);
  EXPECT_EQ(scheduler.running() + scheduler.waiting(), 0u);
  EXPECT_EQ(cache.blocks_free(0), 6u);
}

TEST(Scheduler, a_shared_beginning_is_computed_once_and_counted) {
  KvCache cache({{0, 100}}, 8);
  Scheduler scheduler({.tokens_per_step = 64, .sequences = 2}, cache);
  scheduler.add({1, 0, {.salt = 3}, std::vector<TokenId>(33, 5), 4});
  commit_all(scheduler, scheduler.plan());
  scheduler.add({2, 0, {.salt = 3}, std::vector<TokenId>(40, 5), 4});
  scheduler.add({3, 0, {.salt = 4}, std::vector<TokenId>(40, 5), 4});
  scheduler.finish(1);
  const auto plan = scheduler.plan();
  EXPECT_EQ(plan.entries[0].first, 32u);
  EXPECT_EQ(plan.entries[1].first, 0u) << "another scope";
  EXPECT_EQ(scheduler.cached_tokens(2), 32u);
  EXPECT_EQ(scheduler.counters().prefix_lookups, 3u);
  EXPECT_EQ(scheduler.counters().prefix_hits, 1u);
  EXPECT_EQ(scheduler.counters().cached_tokens, 32u);
}

TEST(Scheduler, finish_takes_a_request_out_of_the_queue_or_the_batch_once) {
  KvCache cache({{0, 8}}, 32);
  Scheduler scheduler({.tokens_per_step = 64, .sequences = 1}, cache);
  add(scheduler, 1, 10, 10);
  add(scheduler, 2, 10, 10);
  static_cast<void>(scheduler.plan());
  EXPECT_TRUE(scheduler.finish(2));
  EXPECT_TRUE(scheduler.finish(1));
  EXPECT_FALSE(scheduler.finish(1));
  EXPECT_TRUE(scheduler.plan().empty());
  EXPECT_EQ(cache.blocks_free(0), 8u);
}

}  // namespace
}  // namespace premise
