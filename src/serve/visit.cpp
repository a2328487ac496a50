#include "serve/visit.h"

#include <utility>

#include "serve/observe/trace_context.h"

namespace premise {

VisitNotes notes_of(const HttpRequest& request) {
  const TraceContext trace = trace_of(request.headers.find("traceparent"));
  VisitNotes notes;
  AccessRecord& record = notes.record;
  record.time = std::chrono::system_clock::now();
  record.method = request.method;
  record.path = request.path;
  record.request_bytes = request.body.size();
  record.client = request.peer.address;
  record.request_id = random_hex_id();
  record.trace_id = trace.trace_id;
  record.span_id = trace.span_id;
  return notes;
}

Language language_of(const HttpRequest& request, const Settings& settings) {
  return reply_language(request.headers.find("accept-language").value_or(""), settings.language());
}

HttpResponse to_http(Reply reply, const std::string& request_id) {
  HttpResponse response;
  response.status = reply.status;
  response.headers.add("content-type", std::move(reply.content_type));
  for (auto& [name, value] : reply.headers) response.headers.add(std::move(name), std::move(value));
  response.headers.add("x-request-id", request_id);
  response.body = std::move(reply.body);
  return response;
}

void write_notes(const Service& service, const Settings& settings, VisitNotes& notes) {
  notes.record.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - notes.begun).count();
  service.metrics->requests.add({notes.route, std::to_string(notes.record.status)});
  settings.log->write(notes.record);
}

void answer(const Service& service, Visit& visit, HttpResponse response) {
  visit.notes.record.status = response.status;
  write_notes(service, *visit.settings, visit.notes);
  visit.responder.send(std::move(response));
}

HttpResponse refusal_of(const Service& service, const Settings& settings, VisitNotes& notes,
                        const ApiError& error, Language language) {
  if (notes.record.outcome.empty()) {
    notes.record.outcome = error.code.empty() ? "refused" : error.code;
    service.metrics->refusals.add({notes.record.outcome});
  }
  notes.record.status = error.status;
  write_notes(service, settings, notes);
  return to_http(error_reply(error, language), notes.record.request_id);
}

void refuse(const Service& service, Visit& visit, const ApiError& error) {
  visit.responder.send(refusal_of(service, *visit.settings, visit.notes, error, visit.language));
}

}  // namespace premise
