#include "serve/generation.h"

#include <ctime>
#include <optional>
#include <utility>
#include <variant>

#include "serve/answer.h"
#include "serve/gatekeeper.h"

namespace premise {
namespace {

constexpr const char* nobody = "none";  // whose request it is where no key is needed

/// Whom the dialect's body names, if this key may use it.
std::variant<std::shared_ptr<ModelEndpoint>, ApiError> choose_model(const Service& service,
                                                                    const Visit& visit,
                                                                    const std::string& asked) {
  const std::shared_ptr<ModelEndpoint> endpoint = service.find_model(asked);
  if (!endpoint) return model_not_found(asked, service.cards());
  if (visit.key && !visit.key->may_use(endpoint->card().name)) return model_not_found(asked, {});
  return endpoint;
}

/// Sets aside what the request may cost before anything is computed.
std::variant<std::optional<TokenReservation>, ApiError> reserve(const Service& service,
                                                                const Visit& visit,
                                                                const PreparedRequest& request) {
  if (!visit.key) return std::optional<TokenReservation>();
  TokenReservation reservation;
  const auto most = static_cast<std::int64_t>(request.tokens_max());
  const LimitAnswer limit = service.limits->reserve(
      visit.key->id, limits_of(*visit.settings, *visit.key), most, reservation);
  if (!limit.ok()) return limit_error(limit);
  return std::optional(reservation);
}

/// Books how an answer went: budget, log. Owns all that the end of a request needs.
struct Conclusion {
  const Service* service;
  std::shared_ptr<const Settings> settings;
  VisitNotes notes;
  std::optional<TokenReservation> reserved;
  std::shared_ptr<void> ticket;

  void operator()(const AnswerOutcome& outcome, const Answer::Release& release) {
    const TokenUsage& usage = outcome.usage;
    if (reserved)
      service->limits->settle(
          *reserved, static_cast<std::int64_t>(usage.prompt_tokens + usage.completion_tokens));
    AccessRecord& record = notes.record;
    record.status = outcome.status;
    record.outcome = outcome.outcome;
    record.prompt_tokens = usage.prompt_tokens;
    record.cached_tokens = usage.cached_tokens;
    record.completion_tokens = usage.completion_tokens;
    record.first_token_seconds = outcome.first_token_seconds;
    write_notes(*service, *settings, notes);
    release({});
  }
};

}  // namespace

void generate(const Service& service, InFlight& in_flight, Visit& v, const Dialect& dialect) {
  const auto type = v.request.headers.find("content-type").value_or("");
  auto decoded = dialect.decode({v.request.method, v.request.path, type, v.request.body});
  if (const auto* error = std::get_if<ApiError>(&decoded)) return refuse(service, v, *error);
  auto& call = std::get<GenerationCall>(decoded);

  auto chosen = choose_model(service, v, call.model);
  if (const auto* error = std::get_if<ApiError>(&chosen)) return refuse(service, v, *error);
  const auto& endpoint = std::get<std::shared_ptr<ModelEndpoint>>(chosen);
  v.notes.record.model = endpoint->card().name;
  call.request.owner = v.key ? v.key->name : nobody;
  call.request.prefix_scope = prefix_scope(*v.settings, v.key.get());
  auto encoder = dialect.encode(
      call, {v.notes.record.request_id, static_cast<std::int64_t>(std::time(nullptr)),
             endpoint->card().name, v.language});

  auto prepared = endpoint->prepare(std::move(call.request));
  if (const auto* refusal = std::get_if<Refusal>(&prepared)) {
    v.notes.record.outcome = name_of(refusal->reason);
    return refuse(service, v, to_api_error(*refusal));
  }
  auto& request = std::get<PreparedRequest>(prepared);

  auto reserved = reserve(service, v, request);
  if (const auto* error = std::get_if<ApiError>(&reserved)) return refuse(service, v, *error);

  Answer::Parts parts{.responder = std::move(v.responder),
                      .endpoint = endpoint,
                      .encoder = std::move(encoder),
                      .stages = {},
                      .headers = {},
                      .request_id = v.notes.record.request_id,
                      .language = v.language,
                      .conclude = {}};
  auto conclusion = std::make_shared<Conclusion>(
      Conclusion{&service, v.settings, std::move(v.notes),
                 std::get<std::optional<TokenReservation>>(reserved), in_flight.ticket()});
  parts.conclude = [conclusion](const AnswerOutcome& outcome, const Answer::Release& release) {
    (*conclusion)(outcome, release);
  };
  std::make_shared<Answer>(std::move(parts))->run(std::move(request));
}

}  // namespace premise
