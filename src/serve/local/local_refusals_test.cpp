// What an endpoint does not take, and what it says then.
#include "serve/local/local_endpoint_testing.h"

namespace premise {
namespace {

using testing::Heard;

class LocalRefusals : public testing::LocalEndpointLaws {};

TEST_F(LocalRefusals, ATooLongRequestIsRefusedWithLimitAndLength) {
  start();
  GenerationRequest request = raw(std::string(60, 'x'));
  request.max_tokens = 5;
  Refusal refused = refusal(request);
  EXPECT_EQ(refused.reason, RefusalReason::too_long);
  for (const char* number : {"64", "60", "5"})
    EXPECT_NE(refused.what.en.find(number), std::string::npos) << refused.what.en;
  request.max_tokens = SIZE_MAX;
  EXPECT_EQ(refusal(request).reason, RefusalReason::too_long);
  request.max_tokens = 4;
  EXPECT_TRUE(std::holds_alternative<PreparedRequest>(endpoint_->prepare(request)));
  refused = refusal(raw(std::string(64, 'x')));
  EXPECT_EQ(refused.reason, RefusalReason::too_long);
  EXPECT_EQ(counter_.refusals, 3u);
  auto prepared = endpoint_->prepare(raw(std::string(60, 'x')));
  EXPECT_EQ(std::get<PreparedRequest>(prepared).tokens_max(), 64u)
      << "the answer fills the context";
}

TEST_F(LocalRefusals, ValuesOutsideTheModelAreRefusedByName) {
  start();
  EXPECT_EQ(refusal(raw("")).param, "prompt");
  GenerationRequest request = raw("x");
  request.prompts = {std::vector<TokenId>{257}};
  EXPECT_EQ(refusal(request).param, "prompt");
  request.prompts = {std::vector<TokenId>{-1}};
  EXPECT_EQ(refusal(request).param, "prompt");
  request = raw("x");
  request.sampling.logit_bias = {{300, 1.0f}};
  EXPECT_EQ(refusal(request).param, "logit_bias");
  request = raw("x");
  request.sampling.temperature = -1.0f;
  EXPECT_EQ(refusal(request).reason, RefusalReason::bad_request);
  request = raw("x");
  request.choices = SIZE_MAX;
  EXPECT_EQ(refusal(request).param, "n");
}

TEST_F(LocalRefusals, AFullQueueRefusesWithATimeToComeBack) {
  gate_->set(false);
  start();
  std::vector<Heard> heard(8);  // 4 run, 4 wait
  for (Heard& one : heard) send(raw("x"), one);
  auto prepared = endpoint_->prepare(raw("x"));
  auto ninth = endpoint_->submit(std::get<PreparedRequest>(std::move(prepared)),
                                 [](EndpointEvent) { ADD_FAILURE() << "was refused"; });
  const auto* refused = std::get_if<Refusal>(&ninth);
  ASSERT_NE(refused, nullptr);
  EXPECT_EQ(refused->reason, RefusalReason::queue_full);
  EXPECT_GE(refused->retry_after.count(), 1);
  EXPECT_EQ(endpoint_->load().accepted, 8u);
  gate_->set(true);
  for (Heard& one : heard) EXPECT_EQ(one.wait().how, Ended::How::complete);
  EXPECT_EQ(endpoint_->load().accepted, 0u);
}

}  // namespace
}  // namespace premise
