#include "serve/answer.h"

#include <utility>

namespace premise {
namespace {

std::string_view name_of(Ended::How how) {
  if (how == Ended::How::complete) return "complete";
  return how == Ended::How::cancelled ? "cancelled" : "failed";
}

}  // namespace

HttpResponse to_http(Reply reply, const std::string& request_id) {
  HttpResponse response;
  response.status = reply.status;
  response.headers.add("content-type", std::move(reply.content_type));
  for (auto& [name, value] : reply.headers) response.headers.add(std::move(name), std::move(value));
  response.headers.add("x-request-id", request_id);
  response.body = std::move(reply.body);
  return response;
}

void Answer::run(PreparedRequest request) {
  const std::shared_ptr<Answer> self = shared_from_this();
  const auto cancel = [weak = weak_from_this()] {
    if (const auto answer = weak.lock()) answer->cancel();
  };
  parts_.responder.on_cancel([cancel](CancelReason) { cancel(); });
  parts_.model->on_cut(cancel);
  auto accepted = parts_.model->endpoint().submit(
      std::move(request), [self](EndpointEvent event) { self->hear(std::move(event)); });
  if (const auto* refusal = std::get_if<Refusal>(&accepted)) return refuse(*refusal);
  std::unique_lock lock(mutex_);
  id_ = std::get<EndpointRequestId>(accepted);
  begin_stream();
  for (EndpointEvent& event : std::exchange(held_, {})) pass(std::move(event));
  after_events(std::move(lock));
}

void Answer::refuse(const Refusal& refusal) {
  const ApiError error = to_api_error(refusal);
  parts_.model->ended(refusal.reason == RefusalReason::unavailable);
  const AnswerOutcome outcome{error.status, std::string(premise::name_of(refusal.reason))};
  parts_.settle(outcome, [self = shared_from_this(), outcome, error](const Status&) {
    self->parts_.finished(outcome);
    self->parts_.responder.send(
        to_http(error_reply(error, self->parts_.language), self->parts_.request_id));
  });
}

void Answer::begin_stream() {
  if (parts_.encoder->streams())
    writer_ = parts_.responder.stream(to_http(parts_.encoder->head(), parts_.request_id));
  open_ = true;
}

void Answer::hear(EndpointEvent event) {
  std::unique_lock lock(mutex_);
  if (!open_) return held_.push_back(std::move(event));
  pass(std::move(event));
  after_events(std::move(lock));
}

void Answer::cancel() {
  std::unique_lock lock(mutex_);
  cancelled_ = true;
  after_events(std::move(lock));
}

void Answer::pass(EndpointEvent event) {
  std::vector<EndpointEvent> events;
  events.push_back(std::move(event));
  for (const auto& stage : parts_.stages) {
    std::vector<EndpointEvent> passed;
    for (EndpointEvent& each : events) stage->take(std::move(each), passed);
    events = std::move(passed);
    cancelled_ = cancelled_ || !stage->wants_more();
  }
  for (const EndpointEvent& each : events) deliver(each);
}

void Answer::deliver(const EndpointEvent& event) {
  if (const auto* ended = std::get_if<Ended>(&event)) {
    ended_ = *ended;
    outcome_.outcome = name_of(ended->how);
    outcome_.usage = ended->usage;
    return;
  }
  if (outcome_.first_token_seconds < 0 && std::holds_alternative<TextEvent>(event))
    outcome_.first_token_seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
  const std::string bytes = parts_.encoder->take(event);
  if (parts_.encoder->streams()) writer_.write(bytes);
}

// What calls others is done without the lock: they may call back at once.
void Answer::after_events(std::unique_lock<std::mutex> lock) {
  const bool settle = ended_ && !std::exchange(settling_, true);
  const bool stop = cancelled_ && id_ && !ended_ && !std::exchange(told_to_stop_, true);
  const bool failed = ended_ && ended_->how == Ended::How::failed;
  const AnswerOutcome outcome = outcome_;
  const EndpointRequestId id = id_.value_or(0);
  lock.unlock();
  if (settle) parts_.model->ended(failed);
  if (stop) parts_.model->endpoint().cancel(id);
  if (settle)
    parts_.settle(outcome,
                  [self = shared_from_this()](const Status& settled) { self->end(settled); });
}

void Answer::end(const Status& settled) {
  const std::lock_guard lock(mutex_);
  if (!settled.ok()) {
    *ended_ = {Ended::How::failed, ended_->usage, settled.error().what};
    outcome_.outcome = "unaccounted";
  }
  const std::string bytes = parts_.encoder->take(*ended_);
  if (parts_.encoder->streams()) {
    parts_.finished(outcome_);
    writer_.write(bytes);
    writer_.finish();
    return;
  }
  Reply whole = parts_.encoder->whole();
  outcome_.status = whole.status;
  parts_.finished(outcome_);
  parts_.responder.send(to_http(std::move(whole), parts_.request_id));
}

}  // namespace premise
