// A request on its way through the service, with what is noted about it.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "serve/api/api_call.h"
#include "serve/gate/api_key.h"
#include "serve/http/responder.h"
#include "serve/observe/access_log.h"
#include "serve/service.h"

namespace premise {

/// What is noted of a request, whoever ends it.
struct VisitNotes {
  AccessRecord record{};
  std::string route = "other";  // for metrics: a path of ours, never a client's
  std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();
};

struct Visit {
  HttpRequest request;
  Responder responder;
  std::shared_ptr<const Settings> settings;
  Language language = Language::english;
  VisitNotes notes{};
  std::shared_ptr<const ApiKey> key{};  // whose request it is; null where none is needed
};

/// The notes that a request's head gives: time, ids, method and path, client.
VisitNotes notes_of(const HttpRequest& request);

/// In which language this client is answered.
Language language_of(const HttpRequest& request, const Settings& settings);

/// A reply as the HTTP server takes it, with the request's id.
HttpResponse to_http(Reply reply, const std::string& request_id);

/// Counts an answer and writes its line, just before the last byte goes out.
void write_notes(const Service& service, const Settings& settings, VisitNotes& notes);

/// Answers at once, noted and counted.
void answer(const Service& service, Visit& visit, HttpResponse response);

/// The same with an error. Where the notes name no outcome yet, the error's code is it, and it
/// counts as a refusal (an endpoint counts its own).
void refuse(const Service& service, Visit& visit, const ApiError& error);

/// Notes and counts a refusal; the caller sends what this returns.
HttpResponse refusal_of(const Service& service, const Settings& settings, VisitNotes& notes,
                        const ApiError& error, Language language);

}  // namespace premise
