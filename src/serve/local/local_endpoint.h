// A model in this process: one engine, one thread that steps it, one queue before it.
//
// Callers encode on their own threads and leave requests in an inbox; the engine's thread takes
// them between two steps, turns tokens into text and calls the listeners. So the engine needs no
// lock, and a cancellation takes effect within one step. A lock around the engine instead would
// make every caller wait for a whole step.
//
// The queue is bounded by choices accepted and not ended. Order and fairness among those accepted
// are the scheduler's business: it sees all of them.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "model/tokenizer/tokenizer.h"
#include "serve/endpoint/endpoint.h"
#include "serve/local/choice_stream.h"
#include "serve/local/step_engine.h"

namespace premise {

/// Conversations to token ids: the model's chat template and tokenizer together. Thread-safe.
class PromptEncoder {
 public:
  struct Encoded {
    std::vector<TokenId> tokens;
    std::vector<std::string> stops;    // text that ends a turn, beside the caller's
    std::vector<TokenId> stop_tokens;  // and tokens that do, beside the tokenizer's
  };
  virtual ~PromptEncoder() = default;
  virtual Result<Encoded> encode(const Conversation& conversation) const = 0;
};

/// How a request went, for metrics and logs. Seconds.
struct RequestRecord {
  EndpointRequestId id = 0;
  std::string owner;
  Ended::How how = Ended::How::complete;
  TokenUsage usage;
  double seconds = 0.0;  // from acceptance to the end
};

struct EndpointState {
  std::size_t choices_running = 0;
  std::size_t choices_waiting = 0;
  StepState engine;
};

/// Hears of times and counts on the endpoint's thread (refused, and the state at the start: on the
/// caller's); returns at once.
class EndpointObserver {
 public:
  virtual ~EndpointObserver() = default;
  virtual void queued(double /*seconds*/) {}          // acceptance → computing of a choice begins
  virtual void first_token(double /*seconds*/) {}     // acceptance → first token of a choice
  virtual void between_tokens(double /*seconds*/) {}  // of one choice
  virtual void stepped(const EndpointState& /*state*/) {}  // after each step, and at the start
  virtual void ended(const RequestRecord& /*record*/) {}
  virtual void refused(RefusalReason /*reason*/) {}
};

struct LocalEndpointOptions {
  std::string name;
  std::int64_t created = 0;              // seconds since 1970
  std::size_t queue = 256;               // choices that may wait beside those that are computed
  std::size_t choices_max = 128;         // of one request
  EndpointObserver* observer = nullptr;  // outlives the endpoint
};

class LocalEndpoint final : public ModelEndpoint {
 public:
  LocalEndpoint(std::unique_ptr<StepEngine> engine, std::shared_ptr<const Tokenizer> tokenizer,
                std::shared_ptr<const PromptEncoder> encoder, LocalEndpointOptions options);
  /// Ends what is left (failed: being shut down) and waits for the thread. Not from a listener.
  ~LocalEndpoint() override;

  /// Accepts nothing from now on; what was accepted goes on. load().accepted falls to 0.
  void close();

  const ModelCard& card() const override { return card_; }
  bool ready() const override;
  EndpointLoad load() const override;
  Accepted<PreparedRequest> prepare(GenerationRequest request) const override;
  Accepted<EndpointRequestId> submit(PreparedRequest request, EndpointListener listener) override;
  void cancel(EndpointRequestId id) override;

 private:
  using Clock = std::chrono::steady_clock;
  struct Choice {
    ChoiceStream stream;
    std::optional<RequestId> sequence{};
    bool ended = false;
    bool begun = false;
    std::optional<Clock::time_point> last_token{};
  };
  struct Job {
    EndpointRequestId id = 0;
    PreparedRequest prepared;
    EndpointListener listener;
    Clock::time_point accepted{};
    StopStrings stops;
    std::vector<Choice> choices{};
    std::size_t open = 0;  // choices that have not ended
    TokenUsage usage{};
  };
  struct Place {
    EndpointRequestId job = 0;
    std::size_t choice = 0;
  };

  // Callers' threads.
  std::optional<Refusal> encode(Prompt& prompt, PreparedRequest& into) const;
  std::optional<Refusal> check_length(PreparedPrompt& prompt, std::size_t index,
                                      const GenerationRequest& request) const;
  Refusal refuse(Refusal refusal) const;
  std::chrono::seconds retry_after() const;  // under mutex_

  // The engine's thread.
  void run();
  bool take(std::vector<std::unique_ptr<Job>>& jobs, std::vector<EndpointRequestId>& cancels);
  void start(std::unique_ptr<Job> job);
  void step(StepReport& report);
  void hear(const StepReport& report);
  void hear(const TokenEvent& event);
  void time_token(const Job& job, Choice& choice);
  void end_choice(Job& job, std::size_t index, ChoiceEnding ending);
  void end(EndpointRequestId id, Ended::How how, Text why = {});
  void end_all(const Text& why);
  void tell_state();

  ModelCard card_;
  LocalEndpointOptions options_;
  std::unique_ptr<StepEngine> engine_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::shared_ptr<const PromptEncoder> encoder_;
  std::vector<TokenId> stop_tokens_;
  std::size_t context_, vocabulary_, sequences_;

  mutable std::mutex mutex_;  // what follows, up to the empty line
  std::condition_variable wake_;
  std::vector<std::unique_ptr<Job>> inbox_;
  std::vector<EndpointRequestId> cancels_;
  bool closed_ = false, broken_ = false, stopping_ = false;
  std::size_t accepted_ = 0;   // choices
  double mean_seconds_ = 1.0;  // of a request, recent ones weighing more
  EndpointRequestId next_id_ = 1;

  std::unordered_map<EndpointRequestId, std::unique_ptr<Job>> jobs_;  // the thread's own
  std::unordered_map<RequestId, Place> places_;
  std::thread thread_;  // the last member: it uses all others
};

}  // namespace premise
