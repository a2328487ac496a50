// The answer is not judged: what is right depends on the model, and a wrong threshold would keep
// good versions out. What a broken file, quantization or kernel does is cruder: no finite number to
// draw from, an end at once, or nothing but control tokens.
#include "serve/models/self_check.h"

#include <cmath>
#include <condition_variable>
#include <memory>
#include <mutex>

namespace premise {
namespace {

constexpr std::size_t test_tokens = 16;

GenerationRequest test_request() {
  GenerationRequest request;
  request.prompts.emplace_back(std::string("The quick brown fox jumps over the lazy dog. The"));
  request.sampling.temperature = 0.0f;
  request.seed = 0;
  request.max_tokens = test_tokens;
  request.ignore_eos = true;
  request.logprobs = true;
  request.owner = "self-check";
  return request;
}

/// Shared with the listener, which may outlive a test that took too long.
struct Heard {
  std::mutex mutex;
  std::condition_variable changed;
  std::string text;
  std::size_t tokens = 0;
  bool finite = true;
  std::optional<Ended> ended;

  void hear(const EndpointEvent& event) {
    const std::lock_guard lock(mutex);
    if (const auto* more = std::get_if<TextEvent>(&event)) {
      text += more->text;
      tokens += more->tokens.size();
      for (const GeneratedToken& each : more->tokens)
        finite = finite && std::isfinite(each.token.logprob);
    }
    if (const auto* end = std::get_if<Ended>(&event)) ended = *end;
    changed.notify_one();
  }
};

Error failed_check(const Text& why) {
  return at(text({"the self-check failed", "自检失败"}), Error{ErrorCode::no, why});
}

Status verdict(const Heard& heard) {
  if (heard.ended->how != Ended::How::complete)
    return failed_check(heard.ended->why.empty() ? text({"the answer was cancelled", "回答被取消"})
                                                 : heard.ended->why);
  if (!heard.finite) return failed_check(text({"a probability is no number", "概率不是有限值"}));
  if (heard.tokens == 0 || heard.text.empty())
    return failed_check(text({"the answer is empty", "回答为空"}));
  return {};
}

}  // namespace

Status self_check(ModelEndpoint& endpoint, std::chrono::milliseconds limit) {
  auto prepared = endpoint.prepare(test_request());
  if (const auto* refusal = std::get_if<Refusal>(&prepared)) return failed_check(refusal->what);
  const auto heard = std::make_shared<Heard>();
  auto accepted = endpoint.submit(std::move(std::get<PreparedRequest>(prepared)),
                                  [heard](const EndpointEvent& event) { heard->hear(event); });
  if (const auto* refusal = std::get_if<Refusal>(&accepted)) return failed_check(refusal->what);
  std::unique_lock lock(heard->mutex);
  if (heard->changed.wait_for(lock, limit, [&] { return heard->ended.has_value(); }))
    return verdict(*heard);
  lock.unlock();
  endpoint.cancel(std::get<EndpointRequestId>(accepted));
  return failed_check(text({"no answer within {} s", "{} 秒内没有回答"},
                           static_cast<double>(limit.count()) / 1000.0));
}

}  // namespace premise
