// One end for every request, no matter how it goes, and nothing left behind.
#include "serve/local/local_endpoint_testing.h"

namespace premise {
namespace {

using testing::Heard;

class LocalEndings : public testing::LocalEndpointLaws {};

TEST_F(LocalEndings, CancellationEndsOnceAndFreesTheEngine) {
  engine_->script = [](const StepRequest&) { return std::string(40, 'y'); };
  const auto leaked = engine_->leaked;
  start();
  gate_->set(false);
  Heard heard;
  const EndpointRequestId id = send(raw("x"), heard);
  endpoint_->cancel(id);
  endpoint_->cancel(id);
  endpoint_->cancel(id + 1000);
  gate_->set(true);
  EXPECT_EQ(heard.wait().how, Ended::How::cancelled);
  endpoint_->cancel(id);
  endpoint_.reset();
  EXPECT_EQ(heard.ends(), 1u);
  EXPECT_EQ(*leaked, 0u);
}

TEST_F(LocalEndings, WhatIsToldOfRunningRequestsIsTrueOnceTheyHaveEnded) {
  engine_->script = [](const StepRequest&) { return std::string(40, 'y'); };
  start();
  for (int round = 0; round < 50; ++round) {
    std::vector<Heard> heard(6);  // two of them wait
    std::vector<EndpointRequestId> ids;
    for (Heard& one : heard) ids.push_back(send(raw("x"), one));
    for (const EndpointRequestId id : ids) endpoint_->cancel(id);
    for (Heard& one : heard) one.wait();
    EXPECT_EQ(endpoint_->load().accepted, 0u);
    // The step that frees the engine's places follows the end of the requests.
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (counter_.running + counter_.waiting + counter_.blocks != 0) {
      ASSERT_LT(std::chrono::steady_clock::now(), limit) << "round " << round;
      std::this_thread::yield();
    }
  }
}

TEST_F(LocalEndings, AListenerMayCancel) {
  engine_->script = [](const StepRequest&) { return std::string(60, 'y'); };
  LocalEndpoint& endpoint = start();
  Heard heard;
  std::atomic<EndpointRequestId> id = 0;
  auto prepared = endpoint.prepare(raw("x"));
  gate_->set(false);
  auto accepted = endpoint.submit(std::get<PreparedRequest>(std::move(prepared)),
                                  [&, inner = heard.listener()](EndpointEvent event) {
                                    const bool text = std::holds_alternative<TextEvent>(event);
                                    inner(std::move(event));
                                    if (text) endpoint.cancel(id);
                                  });
  id = std::get<EndpointRequestId>(accepted);
  gate_->set(true);
  const Ended end = heard.wait();
  EXPECT_EQ(end.how, Ended::How::cancelled);
  EXPECT_LT(end.usage.completion_tokens, 5u);
}

TEST_F(LocalEndings, AFailingEngineEndsEveryRequestAndTakesNoMore) {
  engine_->throw_at_step = 2;
  start();
  gate_->set(false);
  Heard first, second;
  send(raw("x"), first);
  send(raw("y"), second);
  gate_->set(true);
  EXPECT_EQ(first.wait().how, Ended::How::failed);
  EXPECT_EQ(second.wait().how, Ended::How::failed);
  EXPECT_NE(first.wait().why.en.find("out of paper"), std::string::npos);
  EXPECT_FALSE(endpoint_->ready());
  EXPECT_EQ(counter_.running + counter_.waiting + counter_.blocks, 0u) << "gauges fall with it";
  auto prepared = endpoint_->prepare(raw("x"));
  auto third = endpoint_->submit(std::get<PreparedRequest>(std::move(prepared)), first.listener());
  EXPECT_EQ(std::get<Refusal>(third).reason, RefusalReason::unavailable);
}

TEST_F(LocalEndings, AModelWithoutNumbersFailsTheRequestOnly) {
  engine_->fail_numbers = true;
  start();
  Heard heard;
  GenerationRequest request = raw("x");
  request.choices = 3;
  send(request, heard);
  EXPECT_EQ(heard.wait().how, Ended::How::failed);
  EXPECT_TRUE(endpoint_->ready());
  endpoint_.reset();
  EXPECT_EQ(heard.ends(), 1u);
}

TEST_F(LocalEndings, WhatTheEngineRefusesFails) {
  start();
  Heard heard;
  GenerationRequest request = raw("x");
  request.owner = "refused by the engine";
  send(request, heard);
  EXPECT_EQ(heard.wait().why.en, "not this one");
}

TEST_F(LocalEndings, ClosingLetsRequestsEndAndShutdownEndsThem) {
  gate_->set(false);
  start();
  Heard heard;
  send(raw("x"), heard);
  endpoint_->close();
  EXPECT_FALSE(endpoint_->ready());
  auto prepared = endpoint_->prepare(raw("x"));
  auto late = endpoint_->submit(std::get<PreparedRequest>(std::move(prepared)), heard.listener());
  EXPECT_EQ(std::get<Refusal>(late).reason, RefusalReason::unavailable);
  gate_->set(true);
  EXPECT_EQ(heard.wait().how, Ended::How::complete);
}

TEST_F(LocalEndings, EveryOneOfManyEndsOnceWhileOthersCancelAndTheServerStops) {
  engine_->script = [](const StepRequest& r) { return std::string(r.request.prompt.size(), 'z'); };
  options_.queue = 10'000;
  const auto leaked = engine_->leaked;
  start();
  std::vector<Heard> heard(400);
  std::vector<std::thread> clients;
  for (std::size_t client = 0; client < 4; ++client)
    clients.emplace_back([&, client] {
      for (std::size_t i = client; i < heard.size(); i += 4) {
        const auto id = send(raw(std::string(1 + i % 40, 'x')), heard[i]);
        if (i % 3 == 0) endpoint_->cancel(id);
      }
    });
  for (std::thread& client : clients) client.join();
  endpoint_.reset();  // while many still run
  for (Heard& one : heard) EXPECT_EQ(one.ends(), 1u);
  EXPECT_EQ(counter_.ends, heard.size());
  EXPECT_EQ(*leaked, 0u);
}

}  // namespace
}  // namespace premise
