#include "serve/server.h"

#include <optional>
#include <utility>

#include "serve/api/origin.h"
#include "serve/gate/limits.h"
#include "serve/gatekeeper.h"
#include "serve/generation.h"
#include "serve/http/server.h"
#include "serve/in_flight.h"
#include "serve/observe/trace_context.h"
#include "serve/visit.h"
#include "serve/work_queue.h"

namespace premise {
namespace {

constexpr std::size_t worker_threads = 2;

std::chrono::milliseconds to_ms(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000.0));
}

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

HttpServer::Options http_options(const ServerConfig& server) {
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
  return options;
}

}  // namespace

class Server::Body {
 public:
  explicit Body(ServerSetup setup) {
    service_.models = std::move(setup.models);
    service_.keys = setup.keys;
    service_.metrics = setup.metrics;
    service_.limits = &limits_;
  }
  /// Connections first, then what they left to do, then the answers that end by being cancelled.
  ~Body() {
    http_.reset();
    work_.reset();
    in_flight_.wait_for_none();
  }

  Status listen(Config config);
  Result<std::vector<ConfigChange>> reload(const Config& config);
  HttpServer& http() { return *http_; }

 private:
  std::optional<HttpResponse> judge(const HttpRequest& head);
  void take(HttpRequest request, Responder responder);
  void serve(Visit& visit);
  HttpResponse turn_away(const HttpRequest& request, const Settings& settings,
                         const NotAdmitted& refusal);
  HttpResponse render(const HttpRefusal& refusal) const;
  std::string metrics_page() const;

  MemoryLimits limits_{now_ms};
  Service service_;
  InFlight in_flight_;
  std::unique_ptr<WorkQueue> work_;
  std::unique_ptr<HttpServer> http_;
};

Status Server::Body::listen(Config config) {
  HttpServer::Options options = http_options(config.server);
  options.admit = [this](const HttpRequest& head) { return judge(head); };
  options.render_error = [this](const HttpRefusal& refusal) { return render(refusal); };
  auto settings = std::make_shared<Settings>();
  PREMISE_TRY(settings->log, open_access_log(config.log));
  settings->config = std::move(config);
  service_.set_settings(std::move(settings));
  work_ = std::make_unique<WorkQueue>(worker_threads);
  PREMISE_TRY(http_, HttpServer::start(std::move(options),
                                       [this](HttpRequest request, Responder responder) {
                                         take(std::move(request), std::move(responder));
                                       }));
  return {};
}

Result<std::vector<ConfigChange>> Server::Body::reload(const Config& config) {
  const auto before = service_.settings();
  std::vector<ConfigChange> changes = compare(before->config, config);
  auto after = std::make_shared<Settings>(*before);
  after->config = apply_live(before->config, config);
  if (after->config.log != before->config.log) {
    PREMISE_TRY(after->log, open_access_log(after->config.log));
  }
  if (!after->config.server.tls_cert.empty()) PREMISE_CHECK(http_->reload_tls());
  service_.set_settings(std::move(after));
  return changes;
}

// On an I/O thread, before the body is read: what is refused here costs nobody a body.
std::optional<HttpResponse> Server::Body::judge(const HttpRequest& head) {
  const auto settings = service_.settings();
  const auto verdict = judge_head(service_, *settings, head);
  const auto* refusal = std::get_if<NotAdmitted>(&verdict);
  if (refusal == nullptr) return std::nullopt;
  return turn_away(head, *settings, *refusal);
}

HttpResponse Server::Body::turn_away(const HttpRequest& request, const Settings& settings,
                                     const NotAdmitted& refusal) {
  VisitNotes notes = notes_of(request);
  notes.route = refusal.route;
  notes.record.key = refusal.key;
  HttpResponse response =
      refusal_of(service_, settings, notes, refusal.error, language_of(request, settings));
  if (!refusal.allow.empty()) response.headers.add("allow", refusal.allow);
  return response;
}

void Server::Body::take(HttpRequest request, Responder responder) {
  auto settings = service_.settings();
  const Language language = language_of(request, *settings);
  VisitNotes notes = notes_of(request);
  auto visit = std::make_shared<Visit>(Visit{std::move(request), std::move(responder),
                                             std::move(settings), language, std::move(notes)});
  work_->push([this, visit] {
    try {
      serve(*visit);
    } catch (const std::exception&) {  // memory ran out: the responder says 500 as it goes
      service_.metrics->refusals.add({"internal"});
    }
  });
}

void Server::Body::serve(Visit& v) {
  auto verdict = judge_head(service_, *v.settings, v.request);  // a key may be gone by now
  if (const auto* refusal = std::get_if<NotAdmitted>(&verdict))
    return v.responder.send(turn_away(v.request, *v.settings, *refusal));
  auto& admitted = std::get<Admitted>(verdict);
  v.notes.route = admitted.route;
  v.key = std::move(admitted.key);
  if (v.key) {
    v.notes.record.key = v.key->name;
    if (const auto error = take_request(service_, *v.settings, *v.key))
      return refuse(service_, v, *error);
  }
  const std::string& id = v.notes.record.request_id;
  if (admitted.dialect == nullptr)
    return answer(service_, v,
                  to_http({200, std::string(metrics_content_type), metrics_page()}, id));
  if (admitted.dialect->generates()) return generate(service_, in_flight_, v, *admitted.dialect);
  const ServiceView view{service_.cards(), service_.ready(), v.language};
  answer(service_, v, to_http(admitted.dialect->answer(view, admitted.rest), id));
}

HttpResponse Server::Body::render(const HttpRefusal& refusal) const {
  service_.metrics->refusals.add({"http"});
  service_.metrics->requests.add({"other", std::to_string(refusal.status)});
  const ApiError error{refusal.status, refusal.why, "bad_http", "",
                       std::chrono::seconds(refusal.status == 503 ? 5 : 0)};
  return to_http(error_reply(error, service_.settings()->language()), random_hex_id());
}

std::string Server::Body::metrics_page() const {
  service_.metrics->connections.set(static_cast<double>(http_->stats().connections));
  return service_.metrics->write();
}

Result<std::unique_ptr<Server>> Server::start(ServerSetup setup) {
  if (setup.keys == nullptr && !is_loopback_name(setup.config.server.host))
    return error(ErrorCode::usage,
                 {"{} is not an address of loopback: there every request needs a key",
                  "{} 不是本机回环地址：此时每个请求都需要密钥"},
                 setup.config.server.host);
  Config config = setup.config;
  auto body = std::make_unique<Body>(std::move(setup));
  PREMISE_CHECK(body->listen(std::move(config)));
  return std::unique_ptr<Server>(new Server(std::move(body)));
}

Server::Server(std::unique_ptr<Body> body) : body_(std::move(body)) {}
Server::~Server() { drain(std::chrono::milliseconds(0)); }

std::uint16_t Server::port() const { return body_->http().port(); }
Result<std::vector<ConfigChange>> Server::reload(const Config& config) {
  return body_->reload(config);
}
void Server::drain(std::chrono::milliseconds limit) { body_->http().drain(limit); }

}  // namespace premise
