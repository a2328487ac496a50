// The laws of an endpoint: one end for every request, no matter how it goes; text in whole
// characters without stop strings; a bounded queue.
#include "serve/local/local_endpoint.h"

#include <gtest/gtest.h>

#include <condition_variable>

#include "engine/engine.h"
#include "model/architectures/tiny_model_testing.h"
#include "serve/local/scripted_testing.h"

namespace premise {
namespace {

using testing::ScriptedEngine;

/// "role: text" lines.
class PlainEncoder final : public PromptEncoder {
 public:
  explicit PlainEncoder(std::shared_ptr<const Tokenizer> tokenizer)
      : tokenizer_(std::move(tokenizer)) {}
  Result<Encoded> encode(const Conversation& conversation) const override {
    std::string all;
    for (const Message& message : conversation.messages) {
      if (message.role == "nobody")
        return error(ErrorCode::usage, {"no such role", "没有这个角色"});
      all += message.role + ": " + std::get<TextPart>(message.parts.at(0)).text + "\n";
    }
    return Encoded{tokenizer_->encode(all), {"\nuser:"}, {'%'}};
  }

 private:
  std::shared_ptr<const Tokenizer> tokenizer_;
};

/// What a listener heard; waits for the end.
class Heard {
 public:
  EndpointListener listener() {
    return [state = state_](EndpointEvent event) {
      const std::lock_guard lock(state->mutex);
      if (auto* text = std::get_if<TextEvent>(&event)) {
        state->texts[text->choice] += text->text;
        state->pieces.push_back(text->text);
        for (auto& token : text->tokens) state->tokens.push_back(std::move(token));
      } else if (const auto* end = std::get_if<ChoiceEnd>(&event)) {
        state->endings[end->choice] = end->ending;
      } else {
        state->ended.push_back(std::get<Ended>(event));
      }
      state->after_end += state->ended.size() > 1 ? 1 : 0;
      state->changed.notify_all();
    };
  }
  Ended wait() {
    std::unique_lock lock(state_->mutex);
    EXPECT_TRUE(state_->changed.wait_for(lock, std::chrono::seconds(20), [&] {
      return !state_->ended.empty();
    })) << "no end came";
    return state_->ended.empty() ? Ended{Ended::How::failed, {}, {}} : state_->ended.front();
  }
  std::size_t ends() {
    const std::lock_guard lock(state_->mutex);
    return state_->ended.size();
  }
  std::string text(std::size_t choice = 0) { return state_->texts[choice]; }

  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::map<std::size_t, std::string> texts;
    std::map<std::size_t, ChoiceEnding> endings;
    std::vector<std::string> pieces;
    std::vector<GeneratedToken> tokens;
    std::vector<Ended> ended;
    int after_end = 0;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

class Counter final : public EndpointObserver {
 public:
  void queued(double seconds) override { queues += seconds >= 0.0 ? 1 : 1000; }
  void first_token(double seconds) override { firsts += seconds >= 0.0 ? 1 : 1000; }
  void between_tokens(double seconds) override { betweens += seconds >= 0.0 ? 1 : 1000; }
  void ended(const RequestRecord& record) override {
    ++ends;
    tokens += record.usage.completion_tokens;
  }
  void refused(RefusalReason) override { ++refusals; }
  std::atomic<std::size_t> queues{0}, firsts{0}, betweens{0}, ends{0}, tokens{0}, refusals{0};
};

class LocalEndpointLaws : public ::testing::Test {
 protected:
  LocalEndpointLaws() {
    auto tokenizer = Tokenizer::from_json(testing::byte_tokenizer_json());
    EXPECT_TRUE(tokenizer.ok()) << (tokenizer ? "" : tokenizer.error().what.en);
    tokenizer_ = std::make_shared<const Tokenizer>(std::move(tokenizer).value());
    engine_ = std::make_unique<ScriptedEngine>();
    gate_ = engine_->gate;
    seen_ = engine_->seen;
    options_.name = "tiny";
    options_.queue = 4;
    options_.observer = &counter_;
  }
  LocalEndpoint& start() {
    endpoint_ = std::make_unique<LocalEndpoint>(
        std::move(engine_), tokenizer_, std::make_shared<PlainEncoder>(tokenizer_), options_);
    return *endpoint_;
  }
  static GenerationRequest raw(std::string prompt) {
    GenerationRequest request;
    request.prompts = {std::move(prompt)};
    return request;
  }
  static GenerationRequest chat(std::string text, std::string role = "user") {
    GenerationRequest request;
    request.prompts = {Conversation{{Message::text(std::move(role), std::move(text))}}};
    return request;
  }
  EndpointRequestId send(GenerationRequest request, Heard& heard) {
    auto prepared = endpoint_->prepare(std::move(request));
    if (const auto* refusal = std::get_if<Refusal>(&prepared)) {
      ADD_FAILURE() << refusal->what.en;
      return 0;
    }
    auto id = endpoint_->submit(std::get<PreparedRequest>(std::move(prepared)), heard.listener());
    if (const auto* refusal = std::get_if<Refusal>(&id)) {
      ADD_FAILURE() << refusal->what.en;
      return 0;
    }
    return std::get<EndpointRequestId>(id);
  }
  Refusal refusal(GenerationRequest request) {
    auto prepared = endpoint_->prepare(std::move(request));
    if (auto* refusal = std::get_if<Refusal>(&prepared)) return *refusal;
    ADD_FAILURE() << "was prepared";
    return {};
  }

  Counter counter_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::unique_ptr<ScriptedEngine> engine_;
  std::shared_ptr<ScriptedEngine::Gate> gate_;
  std::shared_ptr<std::vector<StepRequest>> seen_;
  LocalEndpointOptions options_;
  std::unique_ptr<LocalEndpoint> endpoint_;
};

TEST_F(LocalEndpointLaws, TextArrivesAndTheRequestEndsOnce) {
  start();
  Heard heard;
  GenerationRequest request = raw("abc");
  request.prefix_scope = "12";
  send(request, heard);
  const Ended end = heard.wait();
  EXPECT_EQ(end.how, Ended::How::complete);
  EXPECT_EQ(heard.text(), "hello");
  EXPECT_EQ(heard.state_->endings.at(0), ChoiceEnding::stop);
  EXPECT_EQ(end.usage.prompt_tokens, 3u);
  EXPECT_EQ(end.usage.completion_tokens, 5u);
  EXPECT_EQ(end.usage.cached_tokens, 2u);
  endpoint_.reset();
  EXPECT_EQ(heard.ends(), 1u);
  EXPECT_EQ(heard.state_->after_end, 0);
  EXPECT_EQ(counter_.queues, 1u);
  EXPECT_EQ(counter_.firsts, 1u);
  EXPECT_EQ(counter_.betweens, 4u);
  EXPECT_EQ(counter_.ends, 1u);
  EXPECT_EQ(counter_.tokens, 5u);
}

TEST_F(LocalEndpointLaws, PiecesAreWholeCharacters) {
  engine_->script = [](const StepRequest&) { return std::string("a中文é\xe4\xb8"); };
  start();
  Heard heard;
  send(raw("x"), heard);
  heard.wait();
  const std::vector<std::string> pieces = {"a", "中", "文", "é", "\xef\xbf\xbd"};
  EXPECT_EQ(heard.state_->pieces, pieces);
}

TEST_F(LocalEndpointLaws, StopStringsAreCutOutAcrossTokens) {
  engine_->script = [](const StepRequest&) { return std::string("one STAY two STOP three"); };
  start();
  Heard heard;
  GenerationRequest request = raw("x");
  request.stop = {"STOP"};
  request.logprobs = true;
  request.top_logprobs = 2;
  send(request, heard);
  EXPECT_EQ(heard.wait().how, Ended::How::complete);
  EXPECT_EQ(heard.text(), "one STAY two ");
  EXPECT_EQ(heard.state_->endings.at(0), ChoiceEnding::stop);
  std::string told;
  for (const GeneratedToken& token : heard.state_->tokens) {
    EXPECT_EQ(token.text_offset, told.size());
    EXPECT_EQ(token.top.size(), 2u);
    told += token.token.bytes;
  }
  EXPECT_EQ(told, "one STAY two ") << "tokens told are those of the text told";
}

TEST_F(LocalEndpointLaws, TheLongestAnswerEndsByLength) {
  start();
  Heard heard;
  GenerationRequest request = raw("x");
  request.max_tokens = 2;
  request.echo = true;
  send(request, heard);
  const Ended end = heard.wait();
  EXPECT_EQ(heard.text(), "xhe");
  EXPECT_EQ(end.usage.completion_tokens, 2u);
  EXPECT_EQ(heard.state_->endings.at(0), ChoiceEnding::length);
  Heard none;
  request.max_tokens = 0;
  send(request, none);
  EXPECT_EQ(none.wait().how, Ended::How::complete);
  EXPECT_EQ(none.text(), "x") << "with nothing to generate the prompt alone comes back";
}

TEST_F(LocalEndpointLaws, ChoicesAreNumberedPromptByPromptAndSeeded) {
  engine_->script = [](const StepRequest& request) {
    return std::string(1, static_cast<char>(request.request.prompt.at(0))) +
           std::to_string(request.request.sampling.seed);
  };
  start();
  Heard heard;
  GenerationRequest request = raw("a");
  request.prompts.push_back(std::vector<TokenId>{'b'});
  request.choices = 2;
  request.seed = 7;
  send(request, heard);
  const Ended end = heard.wait();
  EXPECT_EQ(heard.text(0) + heard.text(1) + heard.text(2) + heard.text(3), "a7a8b7b8");
  EXPECT_EQ(end.usage.prompt_tokens, 2u);
}

TEST_F(LocalEndpointLaws, WithoutASeedAnswersDiffer) {
  start();
  Heard first, second;
  send(raw("x"), first);
  first.wait();
  send(raw("x"), second);
  second.wait();
  EXPECT_NE(seen_->at(0).request.sampling.seed, seen_->at(1).request.sampling.seed);
}

TEST_F(LocalEndpointLaws, AConversationBringsItsOwnStops) {
  engine_->script = [](const StepRequest&) { return std::string("fine\nuser: and you?"); };
  start();
  Heard heard;
  send(chat("hi"), heard);
  heard.wait();
  EXPECT_EQ(heard.text(), "fine");
  const std::vector<TokenId> stops = {256, '%'};
  EXPECT_EQ(seen_->at(0).request.stop_tokens, stops);
  Heard on;
  GenerationRequest request = chat("hi");
  request.ignore_eos = true;
  send(request, on);
  on.wait();
  EXPECT_TRUE(seen_->at(1).request.stop_tokens.empty());
  EXPECT_EQ(refusal(chat("hi", "nobody")).param, "messages");
}

TEST_F(LocalEndpointLaws, ATooLongRequestIsRefusedWithLimitAndLength) {
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

TEST_F(LocalEndpointLaws, ValuesOutsideTheModelAreRefusedByName) {
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

TEST_F(LocalEndpointLaws, AFullQueueRefusesWithATimeToComeBack) {
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

TEST_F(LocalEndpointLaws, CancellationEndsOnceAndFreesTheEngine) {
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

TEST_F(LocalEndpointLaws, AListenerMayCancel) {
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

TEST_F(LocalEndpointLaws, AFailingEngineEndsEveryRequestAndTakesNoMore) {
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
  auto prepared = endpoint_->prepare(raw("x"));
  auto third = endpoint_->submit(std::get<PreparedRequest>(std::move(prepared)), first.listener());
  EXPECT_EQ(std::get<Refusal>(third).reason, RefusalReason::unavailable);
}

TEST_F(LocalEndpointLaws, AModelWithoutNumbersFailsTheRequestOnly) {
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

TEST_F(LocalEndpointLaws, WhatTheEngineRefusesFails) {
  start();
  Heard heard;
  GenerationRequest request = raw("x");
  request.owner = "refused by the engine";
  send(request, heard);
  EXPECT_EQ(heard.wait().why.en, "not this one");
}

TEST_F(LocalEndpointLaws, ClosingLetsRequestsEndAndShutdownEndsThem) {
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

TEST_F(LocalEndpointLaws, EveryOneOfManyEndsOnceWhileOthersCancelAndTheServerStops) {
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

// The real engine behind the seam: what it says through the endpoint is what it says alone.
TEST(LocalEndpointWithAModel, SaysWhatTheEngineSays) {
  auto model = testing::tiny_model("llama");
  ASSERT_TRUE(model.ok());
  auto file = testing::tiny_file(*model);
  ASSERT_TRUE(file.ok());
  auto host = Host::create({1, "ref"});
  ASSERT_TRUE(host.ok()) << host.error().what.en;
  const EngineOptions options{64, 3, 16, {}};
  auto alone = Engine::create(*file->source, **host, options);
  auto served = Engine::create(*file->source, **host, options);
  ASSERT_TRUE(alone.ok() && served.ok());
  auto tokenizer = Tokenizer::from_json(testing::byte_tokenizer_json());
  ASSERT_TRUE(tokenizer.ok());
  const auto shared = std::make_shared<const Tokenizer>(std::move(tokenizer).value());

  const std::vector<TokenId> prompt = {5, 80, 100};
  ASSERT_TRUE((*alone)->submit({prompt, {}, 12, false, 0, {}}).ok());
  std::vector<TokenEvent> events;
  while (!(*alone)->idle()) (*alone)->step(events);
  std::vector<TokenId> expected;
  for (const TokenEvent& event : events)
    if (event.token) expected.push_back(*event.token);

  LocalEndpoint endpoint(step_engine(std::move(served).value()), shared, nullptr, {"tiny"});
  Heard heard;
  GenerationRequest request;
  request.prompts = {prompt};
  request.max_tokens = 12;
  request.ignore_eos = true;
  request.logprobs = true;
  auto prepared = endpoint.prepare(request);
  ASSERT_TRUE(std::holds_alternative<PreparedRequest>(prepared));
  ASSERT_TRUE(std::holds_alternative<EndpointRequestId>(
      endpoint.submit(std::get<PreparedRequest>(std::move(prepared)), heard.listener())));
  EXPECT_EQ(heard.wait().how, Ended::How::complete);
  std::vector<TokenId> said;
  for (const GeneratedToken& token : heard.state_->tokens) said.push_back(token.token.id);
  EXPECT_EQ(said, expected);
  IncrementalDetokenizer detokenizer(*shared);
  std::string text;
  for (const TokenId id : expected) text += detokenizer.push(id);
  text += detokenizer.flush();
  EXPECT_EQ(heard.text(), text);
}

}  // namespace
}  // namespace premise
