// An HTTP/1.1 server: sockets, TLS, limits, streams. It knows no word of what it serves.
//
// Threads. A few I/O threads (Options::threads) share nothing but counters: each has an event loop
// of its own, and a connection lives on one of them from beginning to end. The handler, `admit`,
// `render_error` and cancel callbacks run on I/O threads, several at once, and must not block: who
// needs time keeps the Responder and answers from a thread of their own (serve/http/responder.h).
// An exception that leaves a handler becomes a 500.
//
// A client that closes its side while its answer is owed counts as gone (as it does for nginx),
// also when it meant to read on: nothing tells the two apart before the answer is written.
//
// Requests of one connection are served one after the other, in order; what is pipelined waits, up
// to some kilobytes of it in memory and the rest with the sender.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "serve/http/limits.h"
#include "serve/http/message.h"
#include "serve/http/responder.h"
#include "serve/http/tls_context.h"

namespace premise {

/// Must arrange for an answer; must not block.
using HttpHandler = std::function<void(HttpRequest request, Responder responder)>;

/// Looks at a request before its body is read; an answer given here refuses it, and saves both
/// sides the body. The request has everything but its body.
using HttpAdmission = std::function<std::optional<HttpResponse>(const HttpRequest& head)>;

/// Renders a refusal by the server itself (malformed, too large, too late …). The status is the
/// refusal's, whatever the rendering says.
using HttpErrorRenderer = std::function<HttpResponse(const HttpRefusal& refusal)>;

/// Counters since the start; gauges of this moment.
struct HttpStats {
  std::uint64_t connections_total = 0;
  std::uint64_t connections_refused = 0;  // over the limit of connections
  std::uint64_t requests_total = 0;       // handed to the handler
  std::uint64_t refusals_total = 0;       // answered by the server itself
  std::uint64_t cancelled_total = 0;      // whose answer did not reach the client whole
  std::size_t connections = 0;
  std::size_t requests_running = 0;
  std::size_t body_bytes = 0;                         // of bodies being received
  std::optional<std::int64_t> certificate_expires{};  // seconds since 1970; none without TLS
};

class HttpServer final {
 public:
  struct Options {
    std::string host = "127.0.0.1";  // an address, or a name that stands for one
    std::uint16_t port = 0;          // 0: any free one
    std::size_t threads = 2;
    std::optional<TlsFiles> tls;
    HttpLimits limits;
    HttpAdmission admit;             // none: everything is admitted
    HttpErrorRenderer render_error;  // none: one line of plain text
  };

  /// Listens and serves until drain() or the end of the object.
  static Result<std::unique_ptr<HttpServer>> start(Options options, HttpHandler handler);

  /// drain() without patience.
  ~HttpServer();

  /// The port it listens on.
  std::uint16_t port() const;

  /// Reads certificate and key again, from the same files or from others; connections from now on
  /// use them. On an error the old ones stay. An Error (usage) on a server without TLS. Any thread;
  /// reads files.
  Status reload_tls();
  Status reload_tls(const TlsFiles& files);

  /// Stops accepting, closes idle connections, lets running requests end within `limit`, cuts the
  /// rest (`server_closing`). Blocks until all are closed and the I/O threads are gone. Any thread
  /// but an I/O thread; a second call waits for the first.
  void drain(std::chrono::milliseconds limit);

  HttpStats stats() const;

 private:
  class Body;
  explicit HttpServer(std::unique_ptr<Body> body);
  std::unique_ptr<Body> body_;
};

}  // namespace premise
