#include "serve/generation.h"

#include <ctime>
#include <utility>

namespace premise {
namespace {

constexpr const char* nobody = "none";             // whose request it is where no key is needed
constexpr std::chrono::seconds retry_changing{5};  // while a model is loaded or unloaded

}  // namespace

void Generation::run() {
  using Stage = Refused (Generation::*)();
  constexpr Stage stages[] = {
      &Generation::decode,          // bytes → call; JSON ends here
      &Generation::choose_model,    // a name → an endpoint that this key may use
      &Generation::prepare,         // messages → tokens, counted
      &Generation::reserve_tokens,  // gate B: what it may cost is set aside before computing
  };
  for (const Stage stage : stages)
    if (const auto error = (this->*stage)()) return service_.refuse(visit_, *error);
  submit();
}

Generation::Refused Generation::decode() {
  const HttpRequest& http = visit_.request;
  const auto type = http.headers.find("content-type").value_or("");
  auto decoded = visit_.admitted.target.dialect->decode({http.method, http.path, type, http.body});
  if (auto* error = std::get_if<ApiError>(&decoded)) return std::move(*error);
  call_ = std::move(std::get<GenerationCall>(decoded));
  return std::nullopt;
}

Generation::Refused Generation::choose_model() {
  const ApiKey* key = visit_.admitted.key.get();
  if (key != nullptr && !call_.model.empty() && !key->may_use(call_.model))
    return model_not_found(call_.model, usable(*key));
  std::optional<ModelState> state;
  model_ = service_.models.use(call_.model, &state);
  if (!model_ && (!state || *state == ModelState::failed))
    return model_not_found(call_.model, key == nullptr ? service_.models.cards() : usable(*key));
  if (!model_)
    return ApiError{503,
                    text({"the model {} is {}; try again soon", "模型 {} 处于 {} 状态；请稍后重试"},
                         call_.model, name_of(*state)),
                    "model_unavailable", "model", retry_changing};
  const std::string& model = model_->endpoint().card().name;
  visit_.record.model = model;
  if (key != nullptr && !key->may_use(model)) return model_not_found(call_.model, usable(*key));
  call_.request.owner = key != nullptr ? key->name : nobody;
  call_.request.prefix_scope = prefix_scope();
  return std::nullopt;
}

Generation::Refused Generation::prepare() {
  encoder_ = visit_.admitted.target.dialect->encode(
      call_, {visit_.record.request_id, static_cast<std::int64_t>(std::time(nullptr)),
              visit_.record.model, visit_.language});
  auto prepared = model_->endpoint().prepare(std::move(call_.request));
  if (const auto* refusal = std::get_if<Refusal>(&prepared)) {
    visit_.record.outcome = name_of(refusal->reason);  // an endpoint counts its own refusals
    return to_api_error(*refusal);
  }
  prepared_ = std::move(std::get<PreparedRequest>(prepared));
  return std::nullopt;
}

Generation::Refused Generation::reserve_tokens() {
  const ApiKey* key = visit_.admitted.key.get();
  if (key == nullptr) return std::nullopt;
  TokenReservation reservation;
  const auto most = static_cast<std::int64_t>(prepared_->tokens_max());
  const LimitAnswer limit = service_.limits.reserve(
      key->id, limits_of(*key, visit_.settings->config.limits), most, reservation);
  if (!limit.ok()) return limit_error(limit);
  reserved_ = reservation;
  return std::nullopt;
}

void Generation::submit() {
  service_.open.add();
  Answer::Parts parts{.responder = std::move(visit_.responder),
                      .model = std::move(model_),
                      .encoder = std::move(encoder_),
                      .request_id = visit_.record.request_id,
                      .language = visit_.language,
                      .settle = settle(),
                      .finished = finished()};
  std::make_shared<Answer>(std::move(parts))->run(std::move(*prepared_));
}

/// The books: what was set aside becomes what was used. What must be on a disk before the client
/// sees its answer's end calls `settled` when it is.
Answer::Settle Generation::settle() {
  return [&limits = service_.limits, reserved = reserved_](const AnswerOutcome& outcome,
                                                           const Answer::Settled& settled) {
    if (reserved)
      limits.settle(*reserved, static_cast<std::int64_t>(outcome.usage.prompt_tokens +
                                                         outcome.usage.completion_tokens));
    settled({});
  };
}

Answer::Finished Generation::finished() {
  return [&service = service_, record = visit_.record, route = visit_.admitted.target.route,
          settings = visit_.settings, begun = visit_.begun](const AnswerOutcome& outcome) mutable {
    record.status = outcome.status;
    record.outcome = outcome.outcome;
    record.prompt_tokens = outcome.usage.prompt_tokens;
    record.cached_tokens = outcome.usage.cached_tokens;
    record.completion_tokens = outcome.usage.completion_tokens;
    record.first_token_seconds = outcome.first_token_seconds;
    service.note(record, route, *settings, begun);
    service.open.remove();
  };
}

/// What may be named to the holder of a key.
std::vector<ModelCard> Generation::usable(const ApiKey& key) const {
  std::vector<ModelCard> cards = service_.models.cards();
  std::erase_if(cards, [&](const ModelCard& card) { return !key.may_use(card.name); });
  return cards;
}

/// Who may notice, by the time it takes, what was asked before. Empty: nobody.
std::string Generation::prefix_scope() const {
  const EngineConfig& engine = visit_.settings->config.engine;
  const ApiKey* key = visit_.admitted.key.get();
  if (!engine.prefix_cache) return "";
  if (key == nullptr || engine.prefix_scope == "server") return "server";
  if (engine.prefix_scope == "group" && !key->group.empty()) return "group " + key->group;
  return "key " + key->name;
}

}  // namespace premise
