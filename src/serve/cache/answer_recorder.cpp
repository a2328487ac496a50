#include "serve/cache/answer_recorder.h"

#include <algorithm>

namespace premise {
namespace {

constexpr std::size_t numbers_bytes_most = 32;  // of a token or choice beside its texts

std::size_t bytes_of(const GeneratedToken& token) {
  std::size_t bytes = numbers_bytes_most + token.token.bytes.size();
  for (const TokenChance& other : token.top) bytes += numbers_bytes_most + other.bytes.size();
  return bytes;
}

/// Passes everything on; what differs is submit().
class PassingEndpoint : public ModelEndpoint {
 public:
  explicit PassingEndpoint(std::shared_ptr<ModelEndpoint> inner) : inner_(std::move(inner)) {}

  const ModelCard& card() const override { return inner_->card(); }
  bool ready() const override { return inner_->ready(); }
  EndpointLoad load() const override { return inner_->load(); }
  Accepted<PreparedRequest> prepare(GenerationRequest request) const override {
    return inner_->prepare(std::move(request));
  }
  void cancel(EndpointRequestId id) override { inner_->cancel(id); }

 protected:
  std::shared_ptr<ModelEndpoint> inner_;
};

class RecordingEndpoint final : public PassingEndpoint {
 public:
  RecordingEndpoint(std::shared_ptr<ModelEndpoint> inner, std::shared_ptr<ResultCache> cache,
                    ResultKey key)
      : PassingEndpoint(std::move(inner)), cache_(std::move(cache)), key_(std::move(key)) {}

  Accepted<EndpointRequestId> submit(PreparedRequest request, EndpointListener listener) override {
    auto recorder = std::make_shared<AnswerRecorder>(request.choices());
    return inner_->submit(std::move(request),
                          [recorder, cache = cache_, key = key_,
                           listener = std::move(listener)](EndpointEvent event) {
                            recorder->take(event);
                            if (const auto answer = recorder->answer()) cache->put(key, *answer);
                            listener(std::move(event));
                          });
  }

 private:
  std::shared_ptr<ResultCache> cache_;
  ResultKey key_;
};

class ReplayingEndpoint final : public PassingEndpoint {
 public:
  ReplayingEndpoint(std::shared_ptr<ModelEndpoint> inner, CachedAnswer answer)
      : PassingEndpoint(std::move(inner)), answer_(std::move(answer)) {}

  Accepted<EndpointRequestId> submit(PreparedRequest, EndpointListener listener) override {
    replay(answer_, listener);
    return EndpointRequestId{0};
  }
  void cancel(EndpointRequestId) override {}  // all has been told

 private:
  CachedAnswer answer_;
};

}  // namespace

void AnswerRecorder::take(const EndpointEvent& event) {
  if (!recording_) return;
  std::visit([this](const auto& each) { take(each); }, event);
  if (bytes_ > bytes_max_) give_up();
}

void AnswerRecorder::take(const TextEvent& event) {
  if (event.choice >= ended_.size() || ended_[event.choice]) return give_up();
  CachedChoice& choice = answer_.choices[event.choice];
  bytes_ += event.text.size();
  for (const GeneratedToken& token : event.tokens) bytes_ += bytes_of(token);
  if (bytes_ > bytes_max_) return;
  choice.text += event.text;
  choice.tokens.insert(choice.tokens.end(), event.tokens.begin(), event.tokens.end());
}

void AnswerRecorder::take(const ChoiceEnd& event) {
  if (event.choice >= ended_.size() || ended_[event.choice] ||
      event.ending == ChoiceEnding::filtered)
    return give_up();
  answer_.choices[event.choice].ending = event.ending;
  ended_[event.choice] = true;
  bytes_ += numbers_bytes_most;
}

void AnswerRecorder::take(const Ended& event) {
  recording_ = false;
  if (event.how != Ended::How::complete || bytes_ + numbers_bytes_most > bytes_max_) return;
  if (!std::ranges::all_of(ended_, [](bool ended) { return ended; })) return;
  answer_.usage = event.usage;
  answer_.usage.cached_tokens = 0;
  finished_ = std::move(answer_);
}

void AnswerRecorder::give_up() {
  recording_ = false;
  answer_ = {};
}

void replay(CachedAnswer answer, const EndpointListener& listener) {
  for (std::size_t i = 0; i < answer.choices.size(); ++i) {
    CachedChoice& choice = answer.choices[i];
    if (!choice.text.empty() || !choice.tokens.empty())
      listener(TextEvent{i, std::move(choice.text), std::move(choice.tokens)});
    listener(ChoiceEnd{i, choice.ending});
  }
  TokenUsage usage = answer.usage;
  usage.cached_tokens = usage.prompt_tokens;
  listener(Ended{Ended::How::complete, usage, {}});
}

std::shared_ptr<ModelEndpoint> recording(std::shared_ptr<ModelEndpoint> endpoint,
                                         std::shared_ptr<ResultCache> cache, ResultKey key) {
  return std::make_shared<RecordingEndpoint>(std::move(endpoint), std::move(cache), std::move(key));
}

std::shared_ptr<ModelEndpoint> replaying(std::shared_ptr<ModelEndpoint> endpoint,
                                         CachedAnswer answer) {
  return std::make_shared<ReplayingEndpoint>(std::move(endpoint), std::move(answer));
}

}  // namespace premise
