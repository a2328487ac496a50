// What the tests of this room share: a server on a free port of the loopback, and a client that
// sends exactly the bytes it is told to, well-formed or not.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "serve/http/server.h"

namespace premise::testing {

using namespace std::chrono_literals;

/// A raw connection to the loopback.
class RawClient {
 public:
  /// `receive_bytes` > 0 makes the system hold back no more than about that for this client.
  explicit RawClient(std::uint16_t port, int receive_bytes = 0) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_bytes > 0) {
      ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  RawClient(RawClient&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), kept_(std::move(other.kept_)) {}
  RawClient& operator=(RawClient&&) = delete;
  ~RawClient() { close(); }

  int socket() const { return socket_; }
  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  void end_writing() { ::shutdown(socket_, SHUT_WR); }

  /// False when the server has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  /// A half-close: what the server says may still be read.
  void end_sending() { ::shutdown(socket_, SHUT_WR); }

  /// Everything up to and including `end`, or all there was when the time is up or the server
  /// closed.
  std::string read_until(std::string_view end, std::chrono::milliseconds time = 10s) {
    const auto until = std::chrono::steady_clock::now() + time;
    while (true) {
      if (const auto at = kept_.find(end); at != std::string::npos) {
        std::string out = kept_.substr(0, at + end.size());
        kept_.erase(0, at + end.size());
        return out;
      }
      if (!receive(until)) return std::exchange(kept_, {});
    }
  }

  /// Everything until the server closes; fails the test when it does not.
  std::string read_to_end(std::chrono::milliseconds time = 10s) {
    const auto until = std::chrono::steady_clock::now() + time;
    while (receive(until)) {
    }
    EXPECT_TRUE(ended_) << "the server did not close; it sent " << kept_.size() << " bytes";
    return std::exchange(kept_, {});
  }

  /// One response with a Content-Length.
  std::string read_response() {
    std::string head = read_until("\r\n\r\n");
    const auto at = head.find("Content-Length: ");
    if (at == std::string::npos) return head;
    const auto length = static_cast<std::size_t>(std::stoul(head.substr(at + 16)));
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (kept_.size() < length && receive(until)) {
    }
    head += kept_.substr(0, length);
    kept_.erase(0, length);
    return head;
  }

  /// True when nothing comes and nothing closes for that long.
  bool is_quiet(std::chrono::milliseconds time) {
    pollfd asked{socket_, POLLIN, 0};
    return kept_.empty() && ::poll(&asked, 1, static_cast<int>(time.count())) == 0;
  }

 private:
  bool receive(std::chrono::steady_clock::time_point until) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    pollfd asked{socket_, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&asked, 1, static_cast<int>(left.count())) <= 0) return false;
    char buffer[16384];
    const auto got = ::recv(socket_, buffer, sizeof buffer, 0);
    ended_ = got <= 0;
    if (ended_) return false;
    kept_.append(buffer, static_cast<std::size_t>(got));
    return true;
  }

  int socket_ = -1;
  bool ended_ = false;
  std::string kept_;
};

/// Options for tests: one thread, a free port.
inline HttpServer::Options test_options() {
  HttpServer::Options options;
  options.threads = 1;
  return options;
}

inline std::unique_ptr<HttpServer> serve(HttpServer::Options options, HttpHandler handler) {
  auto server = HttpServer::start(std::move(options), std::move(handler));
  EXPECT_TRUE(server.ok()) << (server.ok() ? "" : server.error().what.en);
  return server.ok() ? std::move(*server) : nullptr;
}

/// "METHOD /path", and the body behind it.
inline void echo(HttpRequest request, Responder responder) {
  responder.send({200,
                  {{"Content-Type", "text/plain"}},
                  request.method + " " + request.path + " " + request.body});
}

/// True as soon as `holds` does; gives up after `time`.
inline bool eventually(const std::function<bool()>& holds, std::chrono::milliseconds time = 10s) {
  const auto until = std::chrono::steady_clock::now() + time;
  while (!holds()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    ::usleep(2000);
  }
  return true;
}

#if defined(__has_feature)
#define PREMISE_HAS_FEATURE(name) __has_feature(name)
#else
#define PREMISE_HAS_FEATURE(name) 0
#endif
/// Sanitizers take several times the memory: figures mean nothing under them.
inline constexpr bool sanitized =
    PREMISE_HAS_FEATURE(address_sanitizer) || PREMISE_HAS_FEATURE(thread_sanitizer);
#undef PREMISE_HAS_FEATURE

/// What this process has in memory.
inline std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t pages = 0;
  statm >> pages >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

inline const std::string get_root = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

}  // namespace premise::testing
