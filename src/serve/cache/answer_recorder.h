// An answer on its way into the cache, and out of it again.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "serve/cache/result_cache.h"

namespace premise {

/// Hears one request's events and has its answer in the end. One thread at a time.
class AnswerRecorder {
 public:
  explicit AnswerRecorder(std::size_t choices, std::size_t bytes_max = cached_answer_bytes_max)
      : bytes_max_(bytes_max), answer_{std::vector<CachedChoice>(choices), {}}, ended_(choices) {}

  void take(const EndpointEvent& event);

  /// Once, after an Ended that is complete, of an answer that is short enough and whose every
  /// choice ended by the model. Never of one that was cancelled, failed or filtered.
  std::optional<CachedAnswer> answer() { return std::exchange(finished_, std::nullopt); }

 private:
  void take(const TextEvent& event);
  void take(const ChoiceEnd& event);
  void take(const Ended& event);
  void give_up();

  std::size_t bytes_max_;
  std::size_t bytes_ = 0;  // at least what the answer takes when it is written down
  bool recording_ = true;
  CachedAnswer answer_;
  std::vector<bool> ended_;
  std::optional<CachedAnswer> finished_;
};

/// Tells an answer as an endpoint does. Its usage is that of the request that computed it, with
/// cached_tokens = prompt_tokens: the whole prompt was computed for an earlier one. What of it is
/// charged is the caller's business; `premise serve` charges the request and no tokens, since
/// limits of tokens share out computing, and nothing was computed.
void replay(CachedAnswer answer, const EndpointListener& listener);

/// `endpoint`, with every answer that ends well put into `cache`, before the listener hears of the
/// end: who asks again after an answer finds it. Made for one request, whose key is `key`.
std::shared_ptr<ModelEndpoint> recording(std::shared_ptr<ModelEndpoint> endpoint,
                                         std::shared_ptr<ResultCache> cache, ResultKey key);

/// `endpoint`, but whatever is submitted is answered with `answer`, before submit() returns.
std::shared_ptr<ModelEndpoint> replaying(std::shared_ptr<ModelEndpoint> endpoint,
                                         CachedAnswer answer);

}  // namespace premise
