// An endpoint that says at once, or when it is told to, what a test wants.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "serve/endpoint/endpoint.h"

namespace premise::testing {

class ScriptedEndpoint final : public ModelEndpoint {
 public:
  explicit ScriptedEndpoint(std::string name) : card_{std::move(name), 0, 64} {}

  std::string says = "hello";
  Ended::How how = Ended::How::complete;
  float logprob = -0.5f;
  std::atomic<bool> works = true;
  bool holds = false;  // until cancelled

  const ModelCard& card() const override { return card_; }
  bool ready() const override { return works; }
  EndpointLoad load() const override { return {0, 1}; }
  Accepted<PreparedRequest> prepare(GenerationRequest request) const override {
    PreparedRequest prepared;
    prepared.request = std::move(request);
    prepared.prompts.push_back({{1, 2, 3}, 8});
    return prepared;
  }
  Accepted<EndpointRequestId> submit(PreparedRequest, EndpointListener listener) override {
    const EndpointRequestId id = ++last_;
    if (holds) {
      const std::lock_guard lock(mutex_);
      held_[id] = std::move(listener);
      return id;
    }
    TextEvent event{0, says, {}};
    for (const char letter : says)
      event.tokens.push_back({{letter, std::string(1, letter), logprob}, 0, {}});
    listener(std::move(event));
    if (how == Ended::How::complete) listener(ChoiceEnd{});
    listener(
        Ended{how, {3, says.size(), 0}, how == Ended::How::failed ? text({"no", "不"}) : Text{}});
    return id;
  }
  void cancel(EndpointRequestId id) override {
    EndpointListener listener;
    {
      const std::lock_guard lock(mutex_);
      const auto held = held_.find(id);
      if (held == held_.end()) return;
      listener = std::move(held->second);
      held_.erase(held);
    }
    listener(Ended{Ended::How::cancelled, {}, {}});
  }

 private:
  ModelCard card_;
  std::atomic<EndpointRequestId> last_ = 0;
  std::mutex mutex_;
  std::map<EndpointRequestId, EndpointListener> held_;
};

}  // namespace premise::testing
