// What all requests share, and how each of them ends: with a reply, a line in the access log and a
// count.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "serve/api/api_call.h"
#include "serve/cache/result_cache.h"
#include "serve/filter/word_filter.h"
#include "serve/gate/ledger.h"
#include "serve/gate/limits.h"
#include "serve/http/responder.h"
#include "serve/models/model_table.h"
#include "serve/observe/service_metrics.h"
#include "serve/observe/span_exporter.h"
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
  bool counted = false;  // against the key's requests of the day
};

/// Answers that have not ended: they call back into the service.
class OpenAnswers {
 public:
  void add();
  void remove();
  void wait_for_none();
  /// False where some have not ended within `limit`.
  bool wait_for_none(std::chrono::milliseconds limit);

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  std::size_t count_ = 0;
};

/// What an organisation wants of a service beside answers. Null: it does not want it.
struct Governance {
  WordFilter* words = nullptr;
  std::shared_ptr<ResultCache> results{};
  Ledger* ledger = nullptr;
  SpanExporter* spans = nullptr;
};

/// Outlives every request. Thread-safe.
struct Service {
  SettingsSlot settings;
  ModelTable& models;
  LimitBackend& limits;
  ServiceMetrics& metrics;
  Governance governance{};
  OpenAnswers open{};

  /// What is known of a request by its head.
  AccessRecord record_of(const HttpRequest& head, const ServiceSettings& settings) const;
  Language language_of(const HttpRequest& head, const ServiceSettings& settings) const;

  /// The refusal of a request that got no further than its head: counted, logged, rendered.
  HttpResponse deny(const HttpRequest& head, const Denied& denied, const ServiceSettings& settings);
  void answer(Visit& visit, Reply reply);
  void answer(Visit& visit, HttpResponse response);
  void refuse(Visit& visit, const ApiError& error);
  /// Counts a refusal, unless who refused has counted it.
  void count_refusal(AccessRecord& record, const ApiError& error);
  /// The audit line of a refusal, if it is worth one. `counted`: it was counted as a request.
  void book_refusal(const AccessRecord& record, const ApiKey* key, bool counted,
                    const ServiceSettings& settings);
  /// The line of the access log, and the span. Right before the last byte is handed over.
  void note(AccessRecord& record, std::string_view route, const ServiceSettings& settings,
            std::chrono::steady_clock::time_point begun);
};

/// Why nothing may be begun now that the books could not tell of; none: it may.
std::optional<ApiError> books_error(const Governance& governance);

/// The audit line of a request, without what it cost and asked.
AuditEntry audit_entry(const AccessRecord& record, const ApiKey* key);

/// A key's own limits; the server's where it has none.
KeyLimits limits_of(const ApiKey& key, const LimitsConfig& server);

}  // namespace premise
