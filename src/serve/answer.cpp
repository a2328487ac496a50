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
  parts_.responder.on_cancel([weak = weak_from_this()](CancelReason) {
    if (const auto answer = weak.lock()) answer->nobody_waits();
  });
  auto accepted = parts_.endpoint->submit(
      std::move(request), [self](EndpointEvent event) { self->hear(std::move(event)); });
  if (const auto* refusal = std::get_if<Refusal>(&accepted)) {
    const ApiError error = to_api_error(*refusal);
    parts_.finished({error.status, std::string(premise::name_of(refusal->reason))});
    parts_.responder.send(to_http(error_reply(error, parts_.language), parts_.request_id));
    return;
  }
  const EndpointRequestId id = std::get<EndpointRequestId>(accepted);
  bool cancel = false;
  {
    const std::lock_guard lock(mutex_);
    id_ = id;
    cancel = cancelled_;
    if (parts_.encoder->streams())
      writer_ = parts_.responder.stream(to_http(parts_.encoder->head(), parts_.request_id));
    open_ = true;
    for (const EndpointEvent& event : std::exchange(held_, {})) deliver(event);
  }
  if (cancel) parts_.endpoint->cancel(id);
}

void Answer::hear(EndpointEvent event) {
  const std::lock_guard lock(mutex_);
  if (open_)
    deliver(event);
  else
    held_.push_back(std::move(event));
}

void Answer::nobody_waits() {
  std::optional<EndpointRequestId> id;
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    id = id_;
  }
  if (id) parts_.endpoint->cancel(*id);
}

void Answer::deliver(const EndpointEvent& event) {
  if (outcome_.first_token_seconds < 0 && std::holds_alternative<TextEvent>(event))
    outcome_.first_token_seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
  const std::string bytes = parts_.encoder->take(event);
  const auto* ended = std::get_if<Ended>(&event);
  if (parts_.encoder->streams()) {
    if (ended != nullptr) end(*ended);
    writer_.write(bytes);
    if (ended != nullptr) writer_.finish();
  } else if (ended != nullptr) {
    Reply whole = parts_.encoder->whole();
    outcome_.status = whole.status;
    end(*ended);
    parts_.responder.send(to_http(std::move(whole), parts_.request_id));
  }
}

void Answer::end(const Ended& ended) {
  outcome_.outcome = name_of(ended.how);
  outcome_.usage = ended.usage;
  parts_.finished(outcome_);
}

}  // namespace premise
