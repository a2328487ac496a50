// One answer that a model is computing: from its acceptance to its last byte.
//
//   endpoint → stages (filter, recorder) → encoder → connection
//
// Two threads meet here. The endpoint's tells events, perhaps before submit() has returned; the
// connection's I/O thread tells that nobody waits any more. The head of a stream must not go out
// before the endpoint has accepted, since a refusal has a status of its own: events that come
// earlier are held back.
//
// The end waits for the books. An Ended is kept until `settle` has said that what was used is
// written down, perhaps much later and on another thread; a client that saw the end of its answer
// can rely on its being accounted for. Where it cannot be written down the answer ends in failure.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "serve/answer_stage.h"
#include "serve/api/dialect.h"
#include "serve/http/responder.h"
#include "serve/models/model_table.h"

namespace premise {

/// How an answer went.
struct AnswerOutcome {
  int status = 200;     // known once it is finished
  std::string outcome;  // complete, cancelled, failed, or the reason of a refusal
  TokenUsage usage{};
  double first_token_seconds = -1;  // below zero: none came
};

/// A reply as the HTTP server takes it, with the request's id.
HttpResponse to_http(Reply reply, const std::string& request_id);

class Answer final : public std::enable_shared_from_this<Answer> {
 public:
  using Settled = std::function<void(const Status& status)>;
  /// Called once, after the last event of the endpoint or its refusal. Must see to it that
  /// `settled` is called once, on any thread, perhaps at once. Does not block.
  using Settle = std::function<void(const AnswerOutcome& outcome, Settled settled)>;
  /// Called once, after settle and before the last byte is handed to the connection. Any thread;
  /// returns soon.
  using Finished = std::function<void(const AnswerOutcome& outcome)>;

  struct Parts {
    Responder responder;
    std::shared_ptr<ModelUse> model;
    std::unique_ptr<ReplyEncoder> encoder;
    std::vector<std::unique_ptr<AnswerStage>> stages{};
    std::string request_id;
    Language language = Language::english;
    Settle settle;
    Finished finished;
  };
  explicit Answer(Parts parts) : parts_(std::move(parts)) {}

  /// Submits, and lives until the last byte.
  void run(PreparedRequest request);

 private:
  void refuse(const Refusal& refusal);
  void hear(EndpointEvent event);
  void cancel();                             // nobody waits, or the model is to go
  void begin_stream();                       // under mutex_
  void pass(EndpointEvent event);            // under mutex_
  void deliver(const EndpointEvent& event);  // under mutex_
  void after_events(std::unique_lock<std::mutex> lock);
  void end(const Status& settled);

  Parts parts_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();

  std::mutex mutex_;
  std::optional<EndpointRequestId> id_;
  bool open_ = false;  // accepted, and the stream's head is sent
  bool cancelled_ = false;
  bool told_to_stop_ = false;
  bool settling_ = false;
  std::vector<EndpointEvent> held_;
  std::optional<Ended> ended_;  // kept until it is settled
  StreamWriter writer_;
  AnswerOutcome outcome_;
};

}  // namespace premise
