// What all requests share, and how each of them ends: with a reply, a line in the access log and a
// count.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>

#include "serve/api/api_call.h"
#include "serve/gate/limits.h"
#include "serve/http/responder.h"
#include "serve/models/model_table.h"
#include "serve/observe/service_metrics.h"
#include "serve/reception.h"
#include "serve/settings.h"

namespace premise {

/// A request on a worker's thread, with what is noted about it.
struct Visit {
  HttpRequest request;
  Responder responder;
  SettingsSnapshot settings;
  Language language = Language::english;
  AccessRecord record{};
  std::chrono::steady_clock::time_point begun{};
  Admitted admitted{};
};

/// Answers that have not ended: they call back into the service.
class OpenAnswers {
 public:
  void add();
  void remove();
  void wait_for_none();

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  std::size_t count_ = 0;
};

/// Outlives every request. Thread-safe.
struct Service {
  SettingsSlot settings;
  ModelTable& models;
  LimitBackend& limits;
  ServiceMetrics& metrics;
  OpenAnswers open{};

  /// What is known of a request by its head.
  AccessRecord record_of(const HttpRequest& head) const;
  Language language_of(const HttpRequest& head, const ServiceSettings& settings) const;

  /// The refusal of a request that got no further than its head: counted, logged, rendered.
  HttpResponse deny(const HttpRequest& head, const Denied& denied, const ServiceSettings& settings);
  void answer(Visit& visit, Reply reply);
  /// The same for what is no answer of the API.
  void send(Visit& visit, HttpResponse response);
  void refuse(Visit& visit, const ApiError& error);
  /// Counts a refusal, unless who refused has counted it.
  void count_refusal(AccessRecord& record, const ApiError& error);
  /// The line of the access log. Right before the last byte is handed over.
  void note(AccessRecord& record, std::string_view route, const ServiceSettings& settings,
            std::chrono::steady_clock::time_point begun);
};

/// A key's own limits; the server's where it has none.
KeyLimits limits_of(const ApiKey& key, const LimitsConfig& server);

}  // namespace premise
