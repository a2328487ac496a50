// One answer that a model is computing: from its acceptance to its last byte.
//
//   endpoint → stages (word filter, recorder, …) → encoder → connection
//
// Three threads meet here. The endpoint's tells events, perhaps before submit() has returned; the
// connection's I/O thread tells that nobody waits any more; and who keeps the books says, on a
// thread of its own, when the end may be told. The head of a stream must not go out before the
// endpoint has accepted, since a refusal has a status of its own: events that come earlier are held
// back.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "serve/api/dialect.h"
#include "serve/http/responder.h"

namespace premise {

/// How an answer went.
struct AnswerOutcome {
  int status = 200;
  std::string outcome;  // complete, cancelled, failed, or the reason of a refusal
  TokenUsage usage{};
  double first_token_seconds = -1;  // below zero: none came
};

/// Stands between endpoint and encoder: may change, hold back or drop events. One thread at a time.
class EventStage {
 public:
  using Emit = std::function<void(EndpointEvent event)>;
  virtual ~EventStage() = default;
  virtual void take(EndpointEvent event, const Emit& emit) = 0;
  /// True once nothing more of the answer is wanted: the endpoint is told to stop. The stage turns
  /// the Ended that follows into what the client is to hear.
  virtual bool has_enough() const { return false; }
};

class Answer final : public std::enable_shared_from_this<Answer> {
 public:
  /// Tells the end to the client, or, after an Error, that its answer could not be booked.
  using Release = std::function<void(const Status& booked)>;
  /// Called once: books how it went, and calls `release` exactly once when that is on disk, here or
  /// later on a thread of its own. A client never hears the end of what was not booked.
  using Conclude = std::function<void(const AnswerOutcome& outcome, Release release)>;

  struct Parts {
    Responder responder;
    std::shared_ptr<ModelEndpoint> endpoint;
    std::unique_ptr<ReplyEncoder> encoder;
    std::vector<std::unique_ptr<EventStage>> stages;
    std::vector<std::pair<std::string, std::string>> headers;  // beside the encoder's
    std::string request_id;
    Language language = Language::english;
    Conclude conclude;
  };
  explicit Answer(Parts parts) : parts_(std::move(parts)) {}

  /// Submits, and lives until the end is told.
  void run(PreparedRequest request);

  /// The same without the endpoint: `tell` calls the listener with every event, up to the Ended.
  void replay(const std::function<void(const EndpointListener& listener)>& tell);

 private:
  void watch_client();
  void open();  // under mutex_
  void refuse(const Refusal& refusal);
  void hear(EndpointEvent event);
  void stop_computing();
  void pass(std::size_t stage, EndpointEvent event);  // under mutex_
  void deliver(EndpointEvent event);                  // under mutex_
  bool has_enough() const;
  void conclude();
  void tell_end(const Status& booked);
  HttpResponse with_headers(Reply reply) const;

  Parts parts_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();

  std::mutex mutex_;
  std::optional<EndpointRequestId> id_;
  bool open_ = false;  // accepted, and the stream's head is sent
  bool cancelled_ = false;
  std::vector<EndpointEvent> held_;
  StreamWriter writer_;
  AnswerOutcome outcome_;
  std::optional<Ended> ended_;  // waits for its booking
};

}  // namespace premise
