// An endpoint over a scripted engine, and what a listener and an observer heard of it.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "serve/local/local_endpoint.h"
#include "serve/local/scripted_testing.h"

namespace premise::testing {

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
  void stepped(const EndpointState& state) override {
    running = state.choices_running;
    waiting = state.choices_waiting;
    blocks = state.engine.kv_blocks_used;
    blocks_total = state.engine.kv_blocks_total;
  }
  void ended(const RequestRecord& record) override {
    ++ends;
    tokens += record.usage.completion_tokens;
  }
  void refused(RefusalReason) override { ++refusals; }
  std::atomic<std::size_t> queues{0}, firsts{0}, betweens{0}, ends{0}, tokens{0}, refusals{0};
  std::atomic<std::size_t> running{0}, waiting{0}, blocks{0}, blocks_total{0};  // as told last
};

class LocalEndpointLaws : public ::testing::Test {
 protected:
  LocalEndpointLaws() {
    auto tokenizer = Tokenizer::from_json(byte_tokenizer_json());
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

}  // namespace premise::testing
