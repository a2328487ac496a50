#include "serve/generation.h"

#include <ctime>
#include <utility>

#include "serve/cache/answer_recorder.h"
#include "serve/filter/request_filter.h"
#include "serve/governed_stages.h"

namespace premise {
namespace {

constexpr const char* nobody = "none";             // whose request it is where no key is needed
constexpr std::chrono::seconds retry_changing{5};  // while a model is loaded or unloaded

/// Who may notice, by the time it takes, what was asked before.
std::string answer_scope(const ServiceSettings& settings, const ApiKey* key) {
  const std::string& scope = settings.config.engine.prefix_scope;
  if (key == nullptr || scope == "server") return "server";
  if (scope == "group" && !key->group.empty()) return "group " + key->group;
  return "key " + key->name;
}

}  // namespace

void Generation::run() {
  using Stage = Refused (Generation::*)();
  constexpr Stage stages[] = {
      &Generation::decode,          // bytes → call; JSON ends here
      &Generation::check_books,     // what cannot be accounted for is not begun
      &Generation::choose_model,    // a name → an endpoint that this key may use
      &Generation::check_words,     // of what people wrote
      &Generation::prepare,         // messages → tokens, counted
      &Generation::reserve_tokens,  // gate B: what it may cost is set aside before computing
      &Generation::look_up,         // answered before?
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

Generation::Refused Generation::check_books() { return books_error(service_.governance); }

// Token ids hold words too, which a list of words cannot see: where words must not pass, neither do
// they.
Generation::Refused Generation::check_words() {
  if (visit_.settings->config.audit.text && service_.governance.ledger != nullptr)
    for_each_text(call_.request,
                  [&](std::string& part) { asked_ += (asked_.empty() ? "" : "\n") + part; });
  if (service_.governance.words == nullptr) return std::nullopt;
  words_ = service_.governance.words->rules();
  if (!words_.active()) return std::nullopt;
  const RequestFindings found = filter_request(*words_.words, words_.action, call_.request);
  if (found.matches > 0) service_.metrics.filtered_words.add({"request"}, found.matches);
  if (found.rejected) return ApiError{400, rejected_request_text(), "content_filter"};
  if (found.unread_prompts > 0 && words_.action != FilterAction::log)
    return ApiError{400,
                    text({"a prompt of token ids cannot be read by the word filter; send text",
                          "敏感词过滤无法读取词元编号形式的提示；请发送文本"}),
                    "content_filter", "prompt"};
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
  if (visit_.settings->config.engine.prefix_cache)
    call_.request.prefix_scope = answer_scope(*visit_.settings, key);
  return std::nullopt;
}

Generation::Refused Generation::prepare() {
  if (service_.governance.results)  // asked now: prepare() gives every request a seed
    cache_use_ = call_.result_cache && cacheable(call_.request) ? CacheUse::miss : CacheUse::bypass;
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

// Raw answers are kept: the word filter reads them anew each time.
Generation::Refused Generation::look_up() {
  answers_ = {model_, &model_->endpoint()};
  if (cache_use_ != CacheUse::miss) return std::nullopt;
  const std::string scope = answer_scope(*visit_.settings, visit_.admitted.key.get());
  const auto key = result_key({model_->identity(), scope}, *prepared_);
  if (!key.ok()) {
    cache_use_ = CacheUse::bypass;
    return std::nullopt;
  }
  const std::shared_ptr<ResultCache>& results = service_.governance.results;
  if (auto found = results->find(*key)) {
    cache_use_ = CacheUse::hit;
    service_.metrics.cache_hits.add({"result"});
    answers_ = replaying(answers_, std::move(*found));
  } else {
    answers_ = recording(answers_, results, *key);
  }
  return std::nullopt;
}

void Generation::submit() {
  service_.open.add();
  const std::size_t choices = prepared_->choices();
  const auto told = std::make_shared<std::string>();
  Answer::Parts parts{.responder = std::move(visit_.responder),
                      .model = std::move(model_),
                      .endpoint = std::move(answers_),
                      .encoder = std::move(encoder_),
                      .request_id = visit_.record.request_id,
                      .language = visit_.language,
                      .settle = settle(told),
                      .finished = finished()};
  if (words_.words && words_.active())
    parts.stages.push_back(std::make_unique<WordStage>(words_, choices, service_.metrics));
  if (visit_.settings->config.audit.text && service_.governance.ledger != nullptr)
    parts.stages.push_back(std::make_unique<TranscriptStage>(told));
  if (cache_use_)
    parts.headers.emplace_back(std::string(cache_header), std::string(name_of(*cache_use_)));
  std::make_shared<Answer>(std::move(parts))->run(std::move(*prepared_));
}

/// The books: what was set aside becomes what was used, and the line is on the disk before the
/// client sees its answer's end. Nothing is charged for an answer that was computed before.
Answer::Settle Generation::settle(const std::shared_ptr<std::string>& told) {
  return [&service = service_, settings = visit_.settings, record = visit_.record,
          key = visit_.admitted.key, reserved = reserved_, hit = cache_use_ == CacheUse::hit,
          asked = asked_, told](const AnswerOutcome& outcome, const Answer::Settled& settled) {
    const auto prompt = static_cast<std::int64_t>(outcome.usage.prompt_tokens);
    const auto output = static_cast<std::int64_t>(outcome.usage.completion_tokens);
    const std::int64_t used = hit ? 0 : prompt + output;
    if (reserved) service.limits.settle(*reserved, used);
    if (service.governance.ledger == nullptr) return settled({});
    LedgerEntry entry{audit_entry(record, key.get()), {}, settings->config.audit.enabled};
    entry.line.prompt_tokens = prompt;
    entry.line.output_tokens = output;
    entry.line.outcome = outcome.outcome;
    entry.line.reason = hit ? "from the cache" : "";
    entry.line.prompt = asked;
    entry.line.answer = *told;
    if (key)
      entry.charge = {key->id, reserved ? reserved->day : day_of(entry.line.time_ms), 1, used};
    service.governance.ledger->record(std::move(entry), settled);
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

}  // namespace premise
