#include "serve/answer.h"

#include <algorithm>

#include "serve/api/collected.h"
#include "serve/visit.h"

namespace premise {
namespace {

std::string_view name_of(Ended::How how) {
  if (how == Ended::How::complete) return "complete";
  return how == Ended::How::cancelled ? "cancelled" : "failed";
}

}  // namespace

void Answer::watch_client() {
  parts_.responder.on_cancel([weak = weak_from_this()](CancelReason) {
    if (const auto answer = weak.lock()) answer->stop_computing();
  });
}

void Answer::run(PreparedRequest request) {
  const std::shared_ptr<Answer> self = shared_from_this();
  watch_client();
  auto accepted = parts_.endpoint->submit(
      std::move(request), [self](EndpointEvent event) { self->hear(std::move(event)); });
  if (const auto* refusal = std::get_if<Refusal>(&accepted)) return refuse(*refusal);
  bool cancel = false;
  bool over = false;
  {
    const std::lock_guard lock(mutex_);
    id_ = std::get<EndpointRequestId>(accepted);
    open();
    for (EndpointEvent& event : std::exchange(held_, {})) pass(0, std::move(event));
    cancel = cancelled_ || has_enough();
    over = ended_.has_value();
  }
  if (cancel) parts_.endpoint->cancel(*id_);
  if (over) conclude();
}

void Answer::replay(const std::function<void(const EndpointListener& listener)>& tell) {
  const std::shared_ptr<Answer> self = shared_from_this();
  watch_client();
  {
    const std::lock_guard lock(mutex_);
    open();
  }
  tell([self](EndpointEvent event) { self->hear(std::move(event)); });
}

void Answer::open() {
  if (parts_.encoder->streams())
    writer_ = parts_.responder.stream(with_headers(parts_.encoder->head()));
  open_ = true;
}

// The refusal of an endpoint is an answer like any other: booked, then told.
void Answer::refuse(const Refusal& refusal) {
  const ApiError error = to_api_error(refusal);
  outcome_ = {error.status, std::string(premise::name_of(refusal.reason))};
  parts_.conclude(outcome_, [self = shared_from_this(), error](const Status&) {
    const std::lock_guard lock(self->mutex_);
    self->parts_.responder.send(self->with_headers(error_reply(error, self->parts_.language)));
  });
}

void Answer::hear(EndpointEvent event) {
  bool stop = false;
  bool over = false;
  {
    const std::lock_guard lock(mutex_);
    if (!open_) return held_.push_back(std::move(event));
    if (ended_) return;  // a stage ended it before the endpoint did
    pass(0, std::move(event));
    stop = id_ && has_enough() && !std::exchange(cancelled_, true);
    over = ended_.has_value();
  }
  if (stop) parts_.endpoint->cancel(*id_);
  if (over) conclude();
}

void Answer::stop_computing() {
  std::optional<EndpointRequestId> id;
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    id = id_;
  }
  if (id) parts_.endpoint->cancel(*id);
}

bool Answer::has_enough() const {
  return std::ranges::any_of(parts_.stages, [](const auto& stage) { return stage->has_enough(); });
}

void Answer::pass(std::size_t stage, EndpointEvent event) {
  if (stage == parts_.stages.size()) return deliver(std::move(event));
  parts_.stages[stage]->take(std::move(event),
                             [this, stage](EndpointEvent out) { pass(stage + 1, std::move(out)); });
}

void Answer::deliver(EndpointEvent event) {
  if (ended_) return;
  if (outcome_.first_token_seconds < 0 && std::holds_alternative<TextEvent>(event))
    outcome_.first_token_seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
  if (auto* ended = std::get_if<Ended>(&event)) {
    outcome_.outcome = name_of(ended->how);
    outcome_.usage = ended->usage;
    if (!parts_.encoder->streams() && ended->how != Ended::How::complete)
      outcome_.status = ending_error(*ended).status;
    ended_ = std::move(*ended);
    return;
  }
  const std::string bytes = parts_.encoder->take(event);
  if (parts_.encoder->streams()) writer_.write(bytes);
}

// Outside the lock: who books may call back at once.
void Answer::conclude() {
  parts_.conclude(outcome_,
                  [self = shared_from_this()](const Status& booked) { self->tell_end(booked); });
}

void Answer::tell_end(const Status& booked) {
  const std::lock_guard lock(mutex_);
  if (!booked.ok()) {
    ended_->how = Ended::How::failed;
    ended_->why = booked.error().what;
  }
  const std::string bytes = parts_.encoder->take(*ended_);
  if (parts_.encoder->streams()) {
    writer_.write(bytes);
    writer_.finish();
  } else {
    parts_.responder.send(with_headers(parts_.encoder->whole()));
  }
}

HttpResponse Answer::with_headers(Reply reply) const {
  for (const auto& header : parts_.headers) reply.headers.push_back(header);
  return to_http(std::move(reply), parts_.request_id);
}

}  // namespace premise
