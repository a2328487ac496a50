// Listening, handing sockets to I/O threads, and ending well.
#include "serve/http/server.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <future>
#include <utility>
#include <vector>

#include "serve/http/connection.h"
#include "serve/http/io_worker.h"

namespace premise {
namespace {

using boost::asio::ip::tcp;

/// After the system ran out of descriptors or memory for another connection.
constexpr std::chrono::milliseconds accept_pause{100};
constexpr std::size_t threads_max = 64;

HttpResponse plain_error(const HttpRefusal& refusal) {
  HttpResponse response{refusal.status, {{"Content-Type", "text/plain; charset=utf-8"}}, {}};
  response.body = refusal.why.en + "\n";
  return response;
}

/// The limit of connections is reached: a word, if the socket takes it at once, and no more.
void turn_away(tcp::socket& socket, bool tls) {
  static constexpr std::string_view answer =
      "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n"
      "Connection: close\r\n\r\n";
  if (!tls)
    ::send(socket.native_handle(), answer.data(), answer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  boost::system::error_code ignored;
  socket.close(ignored);
}

Status check_options(const HttpServer::Options& options) {
  if (options.threads < 1 || options.threads > threads_max) {
    return error(
        ErrorCode::usage,
        {"The server needs 1 to {} threads, not {}.", "服务器线程数须为 1 到 {}，而不是 {}。"},
        threads_max, options.threads);
  }
  if (options.limits.body_bytes > options.limits.body_bytes_total) {
    return error(ErrorCode::usage,
                 {"One body may have {} bytes, but all bodies together only {}.",
                  "单个请求体上限为 {} 字节，而全部请求体合计上限只有 {} 字节。"},
                 options.limits.body_bytes, options.limits.body_bytes_total);
  }
  return {};
}

}  // namespace

class HttpServer::Body {
 public:
  Body(Options options, HttpHandler handler) : options_(std::move(options)) {
    service_.limits = options_.limits;
    service_.handler = std::move(handler);
    service_.admit = options_.admit;
    service_.render_error = options_.render_error ? options_.render_error : plain_error;
    for (std::size_t i = 0; i < options_.threads; ++i) {
      workers_.push_back(std::make_unique<IoWorker>(service_));
    }
    acceptor_ = std::make_unique<tcp::acceptor>(workers_.front()->io());
    pause_ = std::make_unique<boost::asio::steady_timer>(workers_.front()->io());
  }

  Status listen();
  void run();
  Status reload_tls(const TlsFiles* files = nullptr);
  void drain(std::chrono::milliseconds limit);
  std::uint16_t port() const { return port_; }
  HttpStats stats() const;

 private:
  void spawn_accept();
  boost::asio::awaitable<void> accept();
  void hand_over(tcp::socket socket, IoWorker& worker);
  std::shared_ptr<const TlsContext> tls() const;
  /// Runs `what` on every connection, each on its own thread, and waits for that.
  void on_connections(void (HttpConnection::*what)());

  Options options_;
  HttpService service_;
  std::vector<std::unique_ptr<IoWorker>> workers_;
  std::unique_ptr<tcp::acceptor> acceptor_;  // of the first worker
  std::unique_ptr<boost::asio::steady_timer> pause_;
  std::uint16_t port_ = 0;

  mutable std::mutex tls_mutex_;
  std::shared_ptr<const TlsContext> tls_;
  std::mutex drain_mutex_;
  bool drained_ = false;
};

Status HttpServer::Body::listen() {
  if (options_.tls) PREMISE_CHECK(reload_tls());
  boost::system::error_code code;
  tcp::resolver resolver(workers_.front()->io());
  const auto found =
      resolver.resolve(options_.host, std::to_string(options_.port),
                       tcp::resolver::passive | tcp::resolver::numeric_service, code);
  if (code || found.empty()) {
    return error(ErrorCode::network,
                 {"{}: not an address of this machine: {}", "{}：不是本机地址：{}"}, options_.host,
                 code.message());
  }
  const tcp::endpoint endpoint = found.begin()->endpoint();
  acceptor_->open(endpoint.protocol(), code);
  if (!code) acceptor_->set_option(tcp::acceptor::reuse_address(true), code);
  if (!code) acceptor_->bind(endpoint, code);
  if (!code) acceptor_->listen(boost::asio::socket_base::max_listen_connections, code);
  if (!code) port_ = acceptor_->local_endpoint(code).port();
  if (code) {
    return error(ErrorCode::network, {"{} port {}: cannot listen: {}", "{} 端口 {}：无法监听：{}"},
                 options_.host, options_.port, code.message())
        .with_hint(text({"Another program may listen there; choose another port or stop that one.",
                         "该端口可能已被其他程序占用；请更换端口或停止该程序。"}));
  }
  return {};
}

void HttpServer::Body::run() {
  spawn_accept();
  for (const auto& worker : workers_) worker->run();
}

void HttpServer::Body::spawn_accept() {
  boost::asio::co_spawn(workers_.front()->io(), accept(),
                        [this](const std::exception_ptr& failure) {
                          if (failure) spawn_accept();  // memory is out for a moment: go on
                        });
}

boost::asio::awaitable<void> HttpServer::Body::accept() {
  std::size_t next = 0;
  while (acceptor_->is_open()) {
    IoWorker& worker = *workers_[next++ % workers_.size()];
    tcp::socket socket(worker.io());
    boost::system::error_code code;
    co_await acceptor_->async_accept(socket,
                                     boost::asio::redirect_error(boost::asio::use_awaitable, code));
    if (!code) {
      hand_over(std::move(socket), worker);
      continue;
    }
    if (code == boost::asio::error::operation_aborted || !acceptor_->is_open()) co_return;
    if (code == boost::asio::error::connection_aborted) continue;
    pause_->expires_after(accept_pause);
    co_await pause_->async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, code));
  }
}

void HttpServer::Body::hand_over(tcp::socket socket, IoWorker& worker) {
  auto session = tls();
  // Only this thread adds connections, so the limit holds to the few that are on their way.
  if (service_.open.count() >= service_.limits.connections) {
    ++service_.connections_refused;
    return turn_away(socket, session != nullptr);
  }
  ++service_.connections_total;
  boost::asio::post(
      worker.io(), [socket = std::move(socket), &worker, session = std::move(session)]() mutable {
        std::make_shared<HttpConnection>(std::move(socket), worker, std::move(session))->start();
      });
}

std::shared_ptr<const TlsContext> HttpServer::Body::tls() const {
  const std::lock_guard lock(tls_mutex_);
  return tls_;
}

Status HttpServer::Body::reload_tls(const TlsFiles* files) {
  if (!options_.tls) {
    return error(ErrorCode::usage,
                 {"This server was started without TLS.", "此服务器启动时未启用 TLS。"});
  }
  const TlsFiles from = [&] {
    const std::lock_guard lock(tls_mutex_);
    return files != nullptr ? *files : *options_.tls;
  }();
  PREMISE_TRY(auto fresh, TlsContext::load(from));
  const std::lock_guard lock(tls_mutex_);
  options_.tls = from;
  tls_ = std::move(fresh);
  return {};
}

void HttpServer::Body::on_connections(void (HttpConnection::*what)()) {
  for (const auto& worker : workers_) {
    std::promise<void> done;
    boost::asio::post(worker->io(), [&] {
      for (HttpConnection* connection : worker->connections()) (connection->*what)();
      done.set_value();
    });
    done.get_future().wait();
  }
}

void HttpServer::Body::drain(std::chrono::milliseconds limit) {
  const std::lock_guard lock(drain_mutex_);
  if (std::exchange(drained_, true)) return;
  const auto until = std::chrono::steady_clock::now() + limit;
  std::promise<void> closed;
  boost::asio::post(workers_.front()->io(), [&] {
    boost::system::error_code ignored;
    acceptor_->close(ignored);
    pause_->cancel();
    closed.set_value();
  });
  closed.get_future().wait();
  service_.draining = true;
  on_connections(&HttpConnection::wake);
  while (!service_.open.wait_for_none(until)) {
    on_connections(&HttpConnection::cut);
    if (service_.open.wait_for_none(std::chrono::steady_clock::now() + accept_pause)) break;
  }
  for (const auto& worker : workers_) worker->stop();
}

HttpStats HttpServer::Body::stats() const {
  HttpStats stats;
  stats.connections_total = service_.connections_total;
  stats.connections_refused = service_.connections_refused;
  stats.requests_total = service_.requests_total;
  stats.refusals_total = service_.refusals_total;
  stats.cancelled_total = service_.cancelled_total;
  stats.connections = service_.open.count();
  stats.requests_running = service_.requests_running;
  stats.body_bytes = service_.body_bytes;
  if (const auto session = tls()) stats.certificate_expires = session->expires();
  return stats;
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(Options options, HttpHandler handler) {
  PREMISE_CHECK(check_options(options));
  std::unique_ptr<Body> body;
  try {  // Asio throws where the system refuses an event queue, and threads where it has none left
    body = std::make_unique<Body>(std::move(options), std::move(handler));
    PREMISE_CHECK(body->listen());
    body->run();
  } catch (const std::exception& failure) {
    return error(ErrorCode::no_resources, {"The server cannot start: {}", "服务器无法启动：{}"},
                 std::string(failure.what()));
  }
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(body)));
}

HttpServer::HttpServer(std::unique_ptr<Body> body) : body_(std::move(body)) {}

HttpServer::~HttpServer() { body_->drain(std::chrono::milliseconds(0)); }

std::uint16_t HttpServer::port() const { return body_->port(); }

Status HttpServer::reload_tls() { return body_->reload_tls(); }
Status HttpServer::reload_tls(const TlsFiles& files) { return body_->reload_tls(&files); }

void HttpServer::drain(std::chrono::milliseconds limit) { body_->drain(limit); }

HttpStats HttpServer::stats() const { return body_->stats(); }

}  // namespace premise
