#include "serve/observe/service_metrics.h"

#include <gmock/gmock.h>

namespace premise {
namespace {

// The names that alert rules of users rely on.
TEST(ServiceMetrics, say_every_name_of_the_contract_before_the_first_request) {
  const std::string page = ServiceMetrics().write();
  for (const char* name :
       {"premise_time_to_first_token_seconds_bucket", "premise_time_between_tokens_seconds_sum",
        "premise_request_seconds_count", "premise_queue_seconds_bucket",
        "premise_step_prompt_tokens_count 0", "premise_step_decode_rows_bucket",
        "# TYPE premise_tokens_total counter", "premise_requests_running 0",
        "premise_requests_waiting 0", "premise_kv_blocks_used 0", "premise_kv_blocks_total 0",
        "premise_kv_blocks_kept 0", "# TYPE premise_preemptions_total counter",
        "# TYPE premise_refusals_total counter", "# TYPE premise_cache_hits_total counter",
        "process_resident_memory_bytes ", "process_start_time_seconds "})
    EXPECT_THAT(page, ::testing::HasSubstr(name));
  EXPECT_TRUE(page.ends_with('\n'));
}

TEST(ServiceMetrics, keep_counts_of_tokens_apart_by_kind_model_and_key) {
  ServiceMetrics metrics;
  metrics.tokens.add({"completion", "gemma3", "alice"}, 5);
  EXPECT_THAT(metrics.write(),
              ::testing::HasSubstr(
                  R"(premise_tokens_total{kind="completion",model="gemma3",key="alice"} 5)"));
}

}  // namespace
}  // namespace premise
