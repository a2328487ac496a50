#include "serve/metrics_observer.h"

#include <gmock/gmock.h>

namespace premise {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

EndpointState state(std::size_t running, std::size_t blocks, std::uint64_t guessed = 0,
                    std::uint64_t right = 0) {
  EndpointState state;
  state.choices_running = running;
  state.engine.kv_blocks_used = running;
  state.engine.kv_blocks_total = blocks;
  state.engine.guessed_tokens = guessed;
  state.engine.guessed_right = right;
  return state;
}

TEST(MetricsObserver, gauges_are_the_sum_of_all_models_until_one_is_unloaded) {
  ServiceMetrics metrics;
  MetricsObserver first(metrics, "first");
  first.stepped(state(2, 10));
  {
    MetricsObserver second(metrics, "second");
    second.stepped(state(3, 100));
    second.stepped(state(1, 100));
    EXPECT_THAT(metrics.write(), HasSubstr("premise_requests_running 3\n"));
    EXPECT_THAT(metrics.write(), HasSubstr("premise_kv_blocks_used 3\n"));
    EXPECT_THAT(metrics.write(), HasSubstr("premise_kv_blocks_total 110\n"));
  }
  EXPECT_THAT(metrics.write(), HasSubstr("premise_requests_running 2\n"));
  EXPECT_THAT(metrics.write(), HasSubstr("premise_kv_blocks_total 10\n"));
}

TEST(MetricsObserver, steps_are_counted_by_what_they_computed) {
  ServiceMetrics metrics;
  MetricsObserver observer(metrics, "m");
  const auto step = [&](std::size_t prompt_tokens, std::size_t decode_rows) {
    EndpointState state;
    state.engine.prompt_tokens = prompt_tokens;
    state.engine.decode_rows = decode_rows;
    observer.stepped(state);
  };
  step(512, 0);
  step(16, 3);
  step(0, 4);
  step(0, 0);  // a step that only freed places
  const std::string page = metrics.write();
  EXPECT_THAT(page, HasSubstr("premise_step_decode_rows_bucket{le=\"0\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("premise_step_decode_rows_bucket{le=\"4\"} 3\n"));
  EXPECT_THAT(page, HasSubstr("premise_step_decode_rows_sum 7\n"));
  EXPECT_THAT(page, HasSubstr("premise_step_prompt_tokens_bucket{le=\"0\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("premise_step_prompt_tokens_sum 528\n"));
  EXPECT_THAT(page, HasSubstr("premise_step_prompt_tokens_count 3\n"));
}

TEST(MetricsObserver, guesses_are_counted_by_whether_they_came_true) {
  ServiceMetrics metrics;
  MetricsObserver observer(metrics, "m");
  observer.stepped(state(1, 1, 5, 2));
  observer.stepped(state(1, 1, 9, 2));
  observer.stepped(state(1, 1, 10, 3));
  const std::string page = metrics.write();
  EXPECT_THAT(page, HasSubstr(R"(premise_speculative_tokens_total{model="m",result="right"} 3)"));
  EXPECT_THAT(page, HasSubstr(R"(premise_speculative_tokens_total{model="m",result="wrong"} 7)"));
  EXPECT_THAT(page, Not(HasSubstr("premise_preemptions_total{")));
}

}  // namespace
}  // namespace premise
