#include "serve/server.h"

#include <algorithm>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <utility>

#include "serve/answer.h"
#include "serve/api/origin.h"
#include "serve/gate/limits.h"
#include "serve/http/server.h"
#include "serve/observe/trace_context.h"
#include "serve/page/page.h"
#include "serve/work_queue.h"

namespace premise {
namespace {

constexpr std::size_t worker_threads = 2;
constexpr const char* nobody = "none";  // whose request it is where no key is needed

std::chrono::milliseconds to_ms(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000.0));
}

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// "Bearer sk-…", or the header that other dialects use; empty where there is neither.
std::string_view secret_of(const HttpRequest& request) {
  constexpr std::string_view scheme = "bearer ";
  if (const auto value = request.headers.find("authorization"))
    if (value->size() > scheme.size() &&
        equal_ignoring_case(value->substr(0, scheme.size()), scheme))
      return value->substr(scheme.size());
  return request.headers.find("x-api-key").value_or("");
}

ApiError key_error(KeyRefusal refusal, bool given) {
  if (refusal == KeyRefusal::unavailable)
    return {503, text({"keys cannot be checked at the moment", "暂时无法校验密钥"}),
            "keys_unavailable", "", std::chrono::seconds(5)};
  if (refusal == KeyRefusal::expired)
    return {401, text({"this API key has expired", "该 API 密钥已过期"}), "expired_api_key"};
  return {401,
          given ? text({"this API key is not known here", "无法识别该 API 密钥"})
                : text({"an API key is needed: send \"Authorization: Bearer sk-…\"",
                        "需要 API 密钥：请发送 \"Authorization: Bearer sk-…\""}),
          "invalid_api_key"};
}

ApiError limit_error(const LimitAnswer& answer) {
  return {429,
          text({"over the limit of this key ({})", "超出该密钥的限额（{}）"},
               limit_refusal_name(answer.refusal)),
          "rate_limit_exceeded", "", std::chrono::seconds(answer.retry_after_seconds)};
}

}  // namespace

class Server::Body {
 public:
  explicit Body(ServerSetup setup) : setup_(std::move(setup)) {}
  /// Connections first, then what they left to do, then the answers that end by being cancelled.
  ~Body() {
    http_.reset();
    work_.reset();
    open_.wait_for_none();
  }

  Status listen();
  HttpServer& http() { return *http_; }

  /// A request on a worker's thread, with what is noted about it.
  struct Visit {
    HttpRequest request;
    Responder responder;
    Language language = Language::english;
    AccessRecord record{};
    std::chrono::steady_clock::time_point begun{};
    std::string route{};  // for metrics: a path of ours, never a client's
    std::shared_ptr<const ApiKey> key{};
  };

 private:
  using Refused = std::optional<ApiError>;

  /// Answers that have not ended: they call back into this object.
  class Open {
   public:
    void add() {
      const std::lock_guard lock(mutex_);
      ++count_;
    }
    void remove() {
      const std::lock_guard lock(mutex_);
      if (--count_ == 0) none_.notify_all();
    }
    void wait_for_none() {
      std::unique_lock lock(mutex_);
      none_.wait(lock, [&] { return count_ == 0; });
    }

   private:
    std::mutex mutex_;
    std::condition_variable none_;
    std::size_t count_ = 0;
  };

  void take(HttpRequest request, Responder responder);
  void visit(Visit& visit);
  Refused admit(Visit& visit, Scope scope);
  void generate(Visit& visit, const Dialect& dialect);
  void answer_at_once(Visit& visit, HttpResponse response);
  void refuse(Visit& visit, const ApiError& error);
  void note(AccessRecord& record, const std::string& route,
            std::chrono::steady_clock::time_point begun);
  std::shared_ptr<ModelEndpoint> find_model(std::string_view name) const;
  std::vector<ModelCard> cards() const;
  KeyLimits limits_of(const ApiKey& key) const;
  std::string prefix_scope(const Visit& visit) const;
  HttpResponse render(const HttpRefusal& refusal) const;
  std::string metrics_page() const;

  ServerSetup setup_;
  MemoryLimits limits_{now_ms};
  Open open_;
  std::unique_ptr<WorkQueue> work_;
  std::unique_ptr<HttpServer> http_;
};

Status Server::Body::listen() {
  const ServerConfig& server = setup_.config.server;
  HttpServer::Options options;
  options.host = server.host;
  options.port = static_cast<std::uint16_t>(server.port);
  options.threads = static_cast<std::size_t>(server.threads);
  if (!server.tls_cert.empty()) options.tls = TlsFiles{server.tls_cert, server.tls_key};
  options.limits.connections = static_cast<std::size_t>(server.connections);
  if (server.body_bytes) options.limits.body_bytes = *server.body_bytes;
  options.limits.header_time = to_ms(server.header_seconds);
  options.limits.body_time = to_ms(server.body_seconds);
  options.limits.idle_time = to_ms(server.idle_seconds);
  options.limits.write_time = to_ms(server.write_seconds);
  options.render_error = [this](const HttpRefusal& refusal) { return render(refusal); };
  work_ = std::make_unique<WorkQueue>(worker_threads);
  PREMISE_TRY(http_, HttpServer::start(std::move(options),
                                       [this](HttpRequest request, Responder responder) {
                                         take(std::move(request), std::move(responder));
                                       }));
  return {};
}

void Server::Body::take(HttpRequest request, Responder responder) {
  auto waiting = std::make_shared<Visit>(Visit{std::move(request), std::move(responder)});
  waiting->begun = std::chrono::steady_clock::now();
  work_->push([this, waiting] {
    try {
      visit(*waiting);
    } catch (const std::exception&) {  // memory ran out: the responder says 500 as it goes
      setup_.metrics->refusals.add({"internal"});
    }
  });
}

void Server::Body::visit(Visit& v) {
  const HttpRequest& request = v.request;
  const TraceContext trace = trace_of(request.headers.find("traceparent"));
  v.language =
      reply_language(request.headers.find("accept-language").value_or(""), setup_.language);
  v.record.time = std::chrono::system_clock::now();
  v.record.method = request.method;
  v.record.path = request.path;
  v.record.request_bytes = request.body.size();
  v.record.client = request.peer.address;
  v.record.request_id = random_hex_id();
  v.record.trace_id = trace.trace_id;
  v.record.span_id = trace.span_id;
  v.route = "other";
  const bool loopback = is_loopback_name(setup_.config.server.host);
  if (auto error = check_origin(request.host, request.headers.find("origin").value_or(""),
                                {loopback, setup_.config.server.allowed_hosts}))
    return refuse(v, *error);
  if (auto page = page_response(request)) {
    v.route = "/";
    return answer_at_once(v, std::move(*page));
  }
  if (request.path == "/metrics" && (request.method == "GET" || request.method == "HEAD")) {
    v.route = "/metrics";
    if (auto error = admit(v, Scope::metrics)) return refuse(v, *error);
    return answer_at_once(
        v, to_http({200, std::string(metrics_content_type), metrics_page()}, v.record.request_id));
  }
  std::string allow;
  auto found = find_route(request.method, request.path, &allow);
  if (const auto* error = std::get_if<ApiError>(&found)) {
    Reply reply = error_reply(*error, v.language);
    if (!allow.empty()) reply.headers.emplace_back("allow", allow);
    return answer_at_once(v, to_http(std::move(reply), v.record.request_id));
  }
  const Route& route = std::get<Route>(found);
  v.route = route.dialect->path;
  if (route.dialect->needs_key)
    if (auto error = admit(v, Scope::inference)) return refuse(v, *error);
  if (route.dialect->generates()) return generate(v, *route.dialect);
  const bool ready = std::ranges::all_of(setup_.models, [](const auto& m) { return m->ready(); });
  answer_at_once(v, to_http(route.dialect->answer({cards(), ready, v.language}, route.rest),
                            v.record.request_id));
}

// Gate A: whose request it is, and whether there are too many of them.
Server::Body::Refused Server::Body::admit(Visit& v, Scope scope) {
  if (setup_.keys == nullptr) return std::nullopt;
  const std::string_view secret = secret_of(v.request);
  const KeyAnswer answer = setup_.keys->find(secret);
  if (!answer.key) return key_error(answer.refusal, !secret.empty());
  v.key = answer.key;
  v.record.key = answer.key->name;
  if (!answer.key->has(scope))
    return ApiError{403,
                    text({"this key lacks the scope \"{}\"", "该密钥没有 \"{}\" 权限"},
                         scope_names(static_cast<unsigned>(scope))),
                    "missing_scope"};
  const LimitAnswer limit = limits_.admit_request(v.key->id, limits_of(*v.key));
  if (!limit.ok()) return limit_error(limit);
  return std::nullopt;
}

void Server::Body::generate(Visit& v, const Dialect& dialect) {
  const auto type = v.request.headers.find("content-type").value_or("");
  auto decoded = dialect.decode({v.request.method, v.request.path, type, v.request.body});
  if (const auto* error = std::get_if<ApiError>(&decoded)) return refuse(v, *error);
  auto& call = std::get<GenerationCall>(decoded);
  const std::shared_ptr<ModelEndpoint> endpoint = find_model(call.model);
  if (!endpoint) return refuse(v, model_not_found(call.model, cards()));
  const std::string& model = endpoint->card().name;
  v.record.model = model;
  if (v.key && !v.key->may_use(model)) return refuse(v, model_not_found(call.model, {}));
  call.request.owner = v.key ? v.key->name : nobody;
  call.request.prefix_scope = prefix_scope(v);
  auto encoder = dialect.encode(
      call,
      {v.record.request_id, static_cast<std::int64_t>(std::time(nullptr)), model, v.language});
  auto prepared = endpoint->prepare(std::move(call.request));
  if (const auto* refusal = std::get_if<Refusal>(&prepared)) {
    v.record.outcome = name_of(refusal->reason);
    return refuse(v, to_api_error(*refusal));
  }
  auto& request = std::get<PreparedRequest>(prepared);
  std::optional<TokenReservation> reserved;
  if (v.key) {  // gate B: what it may cost is set aside before anything is computed
    TokenReservation reservation;
    const auto most = static_cast<std::int64_t>(request.tokens_max());
    const LimitAnswer limit = limits_.reserve(v.key->id, limits_of(*v.key), most, reservation);
    if (!limit.ok()) return refuse(v, limit_error(limit));
    reserved = reservation;
  }
  auto finished = [this, record = v.record, route = v.route, begun = v.begun,
                   reserved](const AnswerOutcome& outcome) mutable {
    if (reserved)
      limits_.settle(*reserved, static_cast<std::int64_t>(outcome.usage.prompt_tokens +
                                                          outcome.usage.completion_tokens));
    record.status = outcome.status;
    record.outcome = outcome.outcome;
    record.prompt_tokens = outcome.usage.prompt_tokens;
    record.cached_tokens = outcome.usage.cached_tokens;
    record.completion_tokens = outcome.usage.completion_tokens;
    record.first_token_seconds = outcome.first_token_seconds;
    note(record, route, begun);
    open_.remove();
  };
  open_.add();
  std::make_shared<Answer>(Answer::Parts{std::move(v.responder), endpoint, std::move(encoder),
                                         v.record.request_id, v.language, std::move(finished)})
      ->run(std::move(request));
}

void Server::Body::refuse(Visit& v, const ApiError& error) {
  if (v.record.outcome.empty()) {  // an endpoint counts its own refusals
    v.record.outcome = error.code.empty() ? "refused" : error.code;
    setup_.metrics->refusals.add({v.record.outcome});
  }
  answer_at_once(v, to_http(error_reply(error, v.language), v.record.request_id));
}

void Server::Body::answer_at_once(Visit& v, HttpResponse response) {
  v.record.status = response.status;
  note(v.record, v.route, v.begun);
  v.responder.send(std::move(response));
}

void Server::Body::note(AccessRecord& record, const std::string& route,
                        std::chrono::steady_clock::time_point begun) {
  record.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  setup_.metrics->requests.add({route, std::to_string(record.status)});
  setup_.log->write(record);
}

std::shared_ptr<ModelEndpoint> Server::Body::find_model(std::string_view name) const {
  for (const auto& model : setup_.models)
    if (name.empty() || model->card().name == name) return model;
  return nullptr;
}

std::vector<ModelCard> Server::Body::cards() const {
  std::vector<ModelCard> all;
  for (const auto& model : setup_.models) all.push_back(model->card());
  return all;
}

/// A key's own limits; the server's where it has none.
KeyLimits Server::Body::limits_of(const ApiKey& key) const {
  const LimitsConfig& server = setup_.config.limits;
  const auto or_else = [](std::int64_t own, std::int64_t usual) { return own != 0 ? own : usual; };
  return {or_else(key.limits.requests_per_minute, server.requests_per_minute),
          or_else(key.limits.tokens_per_minute, server.tokens_per_minute),
          or_else(key.limits.tokens_per_day, server.tokens_per_day)};
}

/// Who may notice, by the time it takes, what was asked before. Empty: nobody.
std::string Server::Body::prefix_scope(const Visit& v) const {
  const EngineConfig& engine = setup_.config.engine;
  if (!engine.prefix_cache) return "";
  if (!v.key || engine.prefix_scope == "server") return "server";
  if (engine.prefix_scope == "group" && !v.key->group.empty()) return "group " + v.key->group;
  return "key " + v.key->name;
}

HttpResponse Server::Body::render(const HttpRefusal& refusal) const {
  setup_.metrics->refusals.add({"http"});
  setup_.metrics->requests.add({"other", std::to_string(refusal.status)});
  const ApiError error{refusal.status, refusal.why, "bad_http", "",
                       std::chrono::seconds(refusal.status == 503 ? 5 : 0)};
  return to_http(error_reply(error, setup_.language), random_hex_id());
}

std::string Server::Body::metrics_page() const {
  setup_.metrics->connections.set(static_cast<double>(http_->stats().connections));
  return setup_.metrics->write();
}

Result<std::unique_ptr<Server>> Server::start(ServerSetup setup) {
  if (setup.keys == nullptr && !is_loopback_name(setup.config.server.host))
    return error(ErrorCode::usage,
                 {"{} is not an address of loopback: there every request needs a key",
                  "{} 不是本机回环地址：此时每个请求都需要密钥"},
                 setup.config.server.host);
  auto body = std::make_unique<Body>(std::move(setup));
  PREMISE_CHECK(body->listen());
  return std::unique_ptr<Server>(new Server(std::move(body)));
}

Server::Server(std::unique_ptr<Body> body) : body_(std::move(body)) {}
Server::~Server() { drain(std::chrono::milliseconds(0)); }

std::uint16_t Server::port() const { return body_->http().port(); }
void Server::drain(std::chrono::milliseconds limit) { body_->http().drain(limit); }

}  // namespace premise
