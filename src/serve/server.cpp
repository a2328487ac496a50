#include "serve/server.h"

#include <optional>
#include <utility>

#include "serve/administration.h"
#include "serve/answer.h"
#include "serve/api/origin.h"
#include "serve/generation.h"
#include "serve/http/server.h"
#include "serve/observe/trace_context.h"
#include "serve/page/page.h"
#include "serve/reception.h"
#include "serve/service.h"
#include "serve/work_queue.h"

namespace premise {
namespace {

constexpr std::size_t worker_threads = 2;

std::chrono::milliseconds to_ms(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000.0));
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

Status check_door(const ServiceSettings& settings) {
  const std::string& host = settings.config.server.host;
  if (settings.keys != nullptr || is_loopback_name(host)) return {};
  return error(ErrorCode::usage,
               {"{} is not an address of loopback: there every request needs a key",
                "{} 不是本机回环地址：此时每个请求都需要密钥"},
               host);
}

void write_certificate_expiry(std::int64_t seconds, std::string& page) {
  Gauge expiry("premise_tls_certificate_expiry_seconds",
               "When the certificate of [server] tls_cert ends, since 1970, UTC.");
  expiry.set(static_cast<double>(seconds));
  expiry.write(page);
}

}  // namespace

class Server::Body {
 public:
  explicit Body(ServerSetup setup)
      : service_{SettingsSlot(std::make_shared<const ServiceSettings>(std::move(setup.settings))),
                 *setup.models, *setup.limits, *setup.metrics, std::move(setup.governance)},
        more_metrics_(std::move(setup.more_metrics)) {}
  /// Connections first, then what they left to do, then the answers that end by being cancelled.
  ~Body() {
    http_.reset();
    work_.reset();
    service_.open.wait_for_none();
  }

  Status listen();
  HttpServer& http() { return *http_; }
  Status apply(ServiceSettings settings);
  bool wait_for_answers(std::chrono::milliseconds limit) {
    const bool over = service_.open.wait_for_none(limit);
    service_.settings.get()->log->flush();
    return over;
  }

 private:
  // On I/O threads.
  std::optional<HttpResponse> admit_head(const HttpRequest& head);
  void take(HttpRequest request, Responder responder);
  HttpResponse render(const HttpRefusal& refusal);
  // On worker threads.
  void visit(const std::shared_ptr<Visit>& visit);
  std::optional<ApiError> count_request(Visit& visit);
  Reply metrics_page();
  Reply answer_of(const Visit& visit);

  Service service_;
  const std::function<std::string()> more_metrics_;
  std::unique_ptr<WorkQueue> work_;
  std::unique_ptr<HttpServer> http_;
};

Status Server::Body::listen() {
  HttpServer::Options options = http_options(service_.settings.get()->config.server);
  options.admit = [this](const HttpRequest& head) { return admit_head(head); };
  options.render_error = [this](const HttpRefusal& refusal) { return render(refusal); };
  work_ = std::make_unique<WorkQueue>(worker_threads);
  PREMISE_TRY(http_, HttpServer::start(std::move(options),
                                       [this](HttpRequest request, Responder responder) {
                                         take(std::move(request), std::move(responder));
                                       }));
  return {};
}

// Gate A, before the body: where it goes, and whether the key may go there.
std::optional<HttpResponse> Server::Body::admit_head(const HttpRequest& head) {
  const SettingsSnapshot settings = service_.settings.get();
  const Admission admission = admit(head, *settings);
  const auto* denied = std::get_if<Denied>(&admission);
  if (denied == nullptr) return std::nullopt;
  return service_.deny(head, *denied, *settings);
}

void Server::Body::take(HttpRequest request, Responder responder) {
  auto waiting = std::make_shared<Visit>(Visit{std::move(request), std::move(responder), {}});
  waiting->begun = std::chrono::steady_clock::now();
  work_->push([this, waiting] {
    try {
      visit(waiting);
    } catch (const std::exception&) {  // memory ran out: the responder says 500 as it goes
      service_.metrics.refusals.add({"internal"});
    }
  });
}

void Server::Body::visit(const std::shared_ptr<Visit>& visit) {
  Visit& v = *visit;
  v.settings = service_.settings.get();
  v.language = service_.language_of(v.request, *v.settings);
  v.record = service_.record_of(v.request, *v.settings);
  Admission admission = admit(v.request, *v.settings);  // again: the body may have taken long
  if (const auto* denied = std::get_if<Denied>(&admission))
    return v.responder.send(service_.deny(v.request, *denied, *v.settings));
  v.admitted = std::move(std::get<Admitted>(admission));
  if (v.admitted.target.page) return service_.answer(v, page_response(v.request).value());
  if (const auto error = count_request(v)) return service_.refuse(v, *error);
  const Dialect* dialect = v.admitted.target.dialect;
  if (dialect == nullptr) return service_.answer(v, metrics_page());
  if (dialect->generates()) return Generation(service_, v).run();
  if (dialect->command != nullptr) return administer(service_, visit);
  service_.answer(v, answer_of(v));
}

// Once a request, and not on an I/O thread: shared counters are asked over the network.
std::optional<ApiError> Server::Body::count_request(Visit& v) {
  if (!v.admitted.key) return std::nullopt;
  const ApiKey& key = *v.admitted.key;
  v.record.key = key.name;
  const LimitAnswer limit =
      service_.limits.admit_request(key.id, limits_of(key, v.settings->config.limits));
  v.counted = limit.ok();
  return limit.ok() ? std::nullopt : std::optional(limit_error(limit));
}

Reply Server::Body::answer_of(const Visit& v) {
  ServiceView view{service_.models.cards(), false, v.language, service_.models.list()};
  for (const ModelStatus& model : view.statuses)
    view.ready = view.ready || model.state == ModelState::ready;
  return v.admitted.target.dialect->answer(view, v.admitted.target.rest);
}

HttpResponse Server::Body::render(const HttpRefusal& refusal) {
  service_.metrics.refusals.add({"http"});
  service_.metrics.requests.add({"other", std::to_string(refusal.status)});
  const ApiError error{refusal.status, refusal.why, "bad_http", "",
                       std::chrono::seconds(refusal.status == 503 ? 5 : 0)};
  return to_http(error_reply(error, service_.settings.get()->language), random_hex_id());
}

Reply Server::Body::metrics_page() {
  const HttpStats http = http_->stats();
  service_.metrics.connections.set(static_cast<double>(http.connections));
  std::string page = service_.metrics.write();
  if (http.certificate_expires) write_certificate_expiry(*http.certificate_expires, page);
  write_model_states(service_.models.list(), page);
  if (more_metrics_) page += more_metrics_();
  return {200, std::string(metrics_content_type), std::move(page), {}};
}

Status Server::Body::apply(ServiceSettings settings) {
  PREMISE_CHECK(check_door(settings));
  const ServerConfig& server = settings.config.server;
  if (!server.tls_cert.empty())
    PREMISE_CHECK(http_->reload_tls(TlsFiles{server.tls_cert, server.tls_key}));
  service_.settings.set(std::make_shared<const ServiceSettings>(std::move(settings)));
  return {};
}

Result<std::unique_ptr<Server>> Server::start(ServerSetup setup) {
  PREMISE_CHECK(check_door(setup.settings));
  auto body = std::make_unique<Body>(std::move(setup));
  PREMISE_CHECK(body->listen());
  return std::unique_ptr<Server>(new Server(std::move(body)));
}

Server::Server(std::unique_ptr<Body> body) : body_(std::move(body)) {}
Server::~Server() { drain(std::chrono::milliseconds(0)); }

std::uint16_t Server::port() const { return body_->http().port(); }
Status Server::apply(ServiceSettings settings) { return body_->apply(std::move(settings)); }
void Server::drain(std::chrono::milliseconds limit) { body_->http().drain(limit); }
bool Server::wait_for_answers(std::chrono::milliseconds limit) {
  return body_->wait_for_answers(limit);
}

}  // namespace premise
