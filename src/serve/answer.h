// One answer that a model is computing: from its acceptance to its last byte.
//
// Two threads meet here. The endpoint's tells events, perhaps before submit() has returned; the
// connection's I/O thread tells that nobody waits any more. The head of a stream must not go out
// before the endpoint has accepted, since a refusal has a status of its own: events that come
// earlier are held back.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

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

/// A reply as the HTTP server takes it, with the request's id.
HttpResponse to_http(Reply reply, const std::string& request_id);

class Answer final : public std::enable_shared_from_this<Answer> {
 public:
  /// Called once, before the last byte is handed to the connection: what it commits is committed
  /// before the client can know that it was answered. Any thread; returns soon.
  using Finished = std::function<void(const AnswerOutcome& outcome)>;

  struct Parts {
    Responder responder;
    std::shared_ptr<ModelEndpoint> endpoint;
    std::unique_ptr<ReplyEncoder> encoder;
    std::string request_id;
    Language language = Language::english;
    Finished finished;
  };
  explicit Answer(Parts parts) : parts_(std::move(parts)) {}

  /// Submits, and lives until the last event.
  void run(PreparedRequest request);

 private:
  void hear(EndpointEvent event);
  void nobody_waits();
  void deliver(const EndpointEvent& event);  // under mutex_
  void end(const Ended& ended);              // under mutex_

  Parts parts_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();

  std::mutex mutex_;
  std::optional<EndpointRequestId> id_;
  bool open_ = false;  // accepted, and the stream's head is sent
  bool cancelled_ = false;
  std::vector<EndpointEvent> held_;
  StreamWriter writer_;
  AnswerOutcome outcome_;
};

}  // namespace premise
