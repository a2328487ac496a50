// What tests of a whole engine share: answers that compare bit for bit, texts, an engine with what
// it borrows.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "engine/engine.h"

namespace premise::testing {

/// What a request brought, bit for bit comparable.
struct Answer {
  std::vector<TokenId> tokens;
  std::vector<float> logprobs;
  std::vector<std::pair<TokenId, float>> alternatives;
  std::size_t cached = 0;
  int endings = 0;
  FinishReason reason = FinishReason::failed;

  bool operator==(const Answer&) const = default;
};

inline std::map<RequestId, Answer> run_to_end(Engine& engine) {
  std::map<RequestId, Answer> answers;
  std::vector<TokenEvent> events;
  while (!engine.idle()) {
    events.clear();
    engine.step(events);
    for (const TokenEvent& event : events) {
      Answer& answer = answers[event.request];
      EXPECT_EQ(answer.endings, 0) << "an event after the last";
      answer.cached = event.cached_tokens;
      if (event.token) {
        answer.tokens.push_back(*event.token);
        answer.logprobs.push_back(event.logprob);
        for (const auto& [id, logprob] : event.top) answer.alternatives.emplace_back(id, logprob);
      }
      if (!event.finish) continue;
      ++answer.endings;
      answer.reason = *event.finish;
    }
  }
  return answers;
}

inline std::vector<TokenId> text(std::size_t count, int seed) {
  std::vector<TokenId> tokens;
  for (std::size_t i = 0; i < count; ++i)
    tokens.push_back(
        static_cast<TokenId>((i * i * 7 + i * 31 + static_cast<std::size_t>(seed) * 101) % 320));
  return tokens;
}

inline Request request(std::vector<TokenId> prompt, std::size_t max_tokens) {
  Request r;
  r.prompt = std::move(prompt);
  r.max_tokens = max_tokens;
  r.logprobs = true;
  r.top_logprobs = 3;
  return r;
}

/// An engine with what it borrows.
struct Served {
  std::unique_ptr<Host> host;
  std::unique_ptr<Engine> engine;

  Engine* operator->() const { return engine.get(); }
};

}  // namespace premise::testing
