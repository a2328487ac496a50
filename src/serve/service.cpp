#include "serve/service.h"

#include <utility>

#include "serve/answer.h"
#include "serve/observe/request_span.h"
#include "serve/observe/trace_context.h"

namespace premise {

namespace {

RequestSpanDetails span_details(const AccessRecord& record, std::string_view route,
                                const ServiceSettings& now) {
  const char* operation = route == "/v1/completions" ? "text_completion" : "chat";
  return {.route = std::string(route),
          .scheme = now.config.server.tls_cert.empty() ? "http" : "https",
          .operation = record.model.empty() ? "" : operation,
          .finish_reasons = {}};
}

}  // namespace

void OpenAnswers::add() {
  const std::lock_guard lock(mutex_);
  ++count_;
}

void OpenAnswers::remove() {
  const std::lock_guard lock(mutex_);
  if (--count_ == 0) none_.notify_all();
}

void OpenAnswers::wait_for_none() {
  std::unique_lock lock(mutex_);
  none_.wait(lock, [&] { return count_ == 0; });
}

bool OpenAnswers::wait_for_none(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return none_.wait_for(lock, limit, [&] { return count_ == 0; });
}

AccessRecord Service::record_of(const HttpRequest& head, const ServiceSettings& now) const {
  const TraceContext trace = trace_of(head.headers.find("traceparent"));
  AccessRecord record;
  record.time = std::chrono::system_clock::now();
  record.method = head.method;
  record.path = head.path;
  record.request_bytes = head.body.size();
  record.client = head.peer.address;
  record.request_id = random_hex_id();
  record.trace_id = trace.trace_id;
  record.span_id = trace.span_id;
  record.parent_id = trace.parent_id;
  record.sampled = governance.spans != nullptr && is_sampled(trace, now.config.tracing.sample);
  return record;
}

Language Service::language_of(const HttpRequest& head, const ServiceSettings& now) const {
  return reply_language(head.headers.find("accept-language").value_or(""), now.language);
}

HttpResponse Service::deny(const HttpRequest& head, const Denied& denied,
                           const ServiceSettings& now) {
  const auto begun = std::chrono::steady_clock::now();
  AccessRecord record = record_of(head, now);
  if (denied.known.key) record.key = denied.known.key->name;
  record.status = denied.error.status;
  count_refusal(record, denied.error);
  book_refusal(record, denied.known.key.get(), false, now);
  note(record, denied.known.target.route, now, begun);
  Reply reply = error_reply(denied.error, language_of(head, now));
  reply.headers.insert(reply.headers.end(), denied.headers.begin(), denied.headers.end());
  return to_http(std::move(reply), record.request_id);
}

void Service::answer(Visit& visit, Reply reply) {
  answer(visit, to_http(std::move(reply), visit.record.request_id));
}

void Service::answer(Visit& visit, HttpResponse response) {
  visit.record.status = response.status;
  note(visit.record, visit.admitted.target.route, *visit.settings, visit.begun);
  visit.responder.send(std::move(response));
}

void Service::refuse(Visit& visit, const ApiError& error) {
  count_refusal(visit.record, error);
  visit.record.status = error.status;
  book_refusal(visit.record, visit.admitted.key.get(), visit.counted, *visit.settings);
  answer(visit, error_reply(error, visit.language));
}

void Service::count_refusal(AccessRecord& record, const ApiError& error) {
  if (!record.outcome.empty()) return;
  record.outcome = error.code.empty() ? "refused" : error.code;
  metrics.refusals.add({record.outcome});
}

// Who may not come in is worth a line, and so is everything that a key was refused; what strangers
// mistype is not. Nobody waits for the disk here.
void Service::book_refusal(const AccessRecord& record, const ApiKey* key, bool counted,
                           const ServiceSettings& now) {
  if (governance.ledger == nullptr) return;
  if (key == nullptr && record.status != 401 && record.status != 403) return;
  LedgerEntry entry{audit_entry(record, key), {}, now.config.audit.enabled};
  entry.line.outcome = "refused";
  entry.line.reason = record.outcome;
  if (counted && key != nullptr) entry.charge = {key->id, day_of(entry.line.time_ms), 1, 0};
  governance.ledger->record(std::move(entry));
}

std::optional<ApiError> books_error(const Governance& governance) {
  constexpr std::chrono::seconds soon{5};
  if (governance.ledger == nullptr || governance.ledger->works()) return std::nullopt;
  return ApiError{503,
                  text({"the audit log cannot be written at the moment, and nothing is answered "
                        "without it",
                        "目前无法写入审计日志，在此期间不提供回答"}),
                  "audit_unavailable", "", soon};
}

AuditEntry audit_entry(const AccessRecord& record, const ApiKey* key) {
  AuditEntry entry;
  entry.time_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(record.time.time_since_epoch()).count();
  entry.request = record.request_id;
  if (key != nullptr) {
    entry.key_id = key->id;
    entry.key_name = key->name;
  }
  entry.client = record.client;
  entry.action = record.path;
  entry.model = record.model;
  return entry;
}

void Service::note(AccessRecord& record, std::string_view route, const ServiceSettings& now,
                   std::chrono::steady_clock::time_point begun) {
  record.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  metrics.requests.add({std::string(route), std::to_string(record.status)});
  now.log->write(record);
  if (record.sampled)
    governance.spans->add(
        request_span({record.trace_id, record.parent_id, record.span_id, record.sampled}, record,
                     span_details(record, route, now)));
}

KeyLimits limits_of(const ApiKey& key, const LimitsConfig& server) {
  const auto or_else = [](std::int64_t own, std::int64_t usual) { return own != 0 ? own : usual; };
  return {or_else(key.limits.requests_per_minute, server.requests_per_minute),
          or_else(key.limits.tokens_per_minute, server.tokens_per_minute),
          or_else(key.limits.tokens_per_day, server.tokens_per_day),
          or_else(key.limits.requests_per_day, server.requests_per_day)};
}

}  // namespace premise
