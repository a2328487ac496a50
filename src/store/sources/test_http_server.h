// A web server on loopback for tests: enough HTTP/1.1 to be a package index and a file server that
// resumes, refuses to, lies, breaks off and redirects. One request a connection.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "store/test_support.h"

namespace premise {

struct TestRequest {
  std::string path;
  std::string head;  // request line and headers, as they came

  /// The value of a header; empty where there is none.
  std::string header(std::string_view name) const {
    const std::size_t at = head.find("\r\n" + std::string(name) + ": ");
    if (at == std::string::npos) return {};
    const std::size_t begin = at + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
};

struct TestResponse {
  int status = 200;
  std::string headers{};  // each with its line end
  std::string body{};
  std::optional<std::size_t> break_after{};  // bytes of the body, then the line goes dead
  std::size_t piece = std::string::npos;     // bytes at a time …
  std::chrono::milliseconds pause{0};        // … and the rest in between
};

/// What a good file server answers.
inline TestResponse serve_file(const TestRequest& request, const std::string& content,
                               const std::string& etag = "\"1\"") {
  TestResponse response;
  if (!etag.empty()) response.headers = "ETag: " + etag + "\r\n";
  const std::string range = request.header("Range");
  const std::string condition = request.header("If-Range");
  if (range.starts_with("bytes=") && (condition.empty() || condition == etag)) {
    const std::size_t begin = std::stoul(range.substr(6));
    if (begin >= content.size()) return {.status = 416};
    response.status = 206;
    response.headers +=
        fmt::format("Content-Range: bytes {}-{}/{}\r\n", begin, content.size() - 1, content.size());
    response.body = content.substr(begin);
  } else {
    response.body = content;
  }
  return response;
}

class TestHttpServer {
 public:
  using Handler = std::function<TestResponse(const TestRequest&)>;

  explicit TestHttpServer(Handler handler) : handler_(std::move(handler)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 16), 0);
    socklen_t length = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  TestHttpServer(const TestHttpServer&) = delete;
  TestHttpServer& operator=(const TestHttpServer&) = delete;
  ~TestHttpServer() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (std::thread& worker : workers_) worker.join();
    ::close(listener_);
  }

  std::string url(std::string_view path = "") const {
    return fmt::format("http://127.0.0.1:{}{}", port_, path);
  }
  std::uint16_t port() const { return port_; }

  /// Every request so far.
  std::vector<TestRequest> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  std::uint64_t body_bytes_sent() const { return body_bytes_sent_; }
  /// Answers on their way at the same time, at most.
  int most_at_once() const { return most_at_once_; }

 private:
  /// One answer from its connection's arrival until its last piece is about to leave: the client
  /// may come again before this end has noticed that it has everything.
  class OnItsWay {
   public:
    explicit OnItsWay(TestHttpServer& server) : at_once_(&server.at_once_) {
      const int now = ++*at_once_;
      for (int most = server.most_at_once_;
           now > most && !server.most_at_once_.compare_exchange_weak(most, now);) {
      }
    }
    OnItsWay(const OnItsWay&) = delete;
    OnItsWay& operator=(const OnItsWay&) = delete;
    ~OnItsWay() { end(); }
    void end() {
      if (at_once_ != nullptr) --*std::exchange(at_once_, nullptr);
    }

   private:
    std::atomic<int>* at_once_;
  };

  void accept_all() {
    for (;;) {
      const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) return;
      workers_.emplace_back([this, connection] {
        serve(connection);
        ::close(connection);
      });
    }
  }

  void serve(int connection) {
    OnItsWay answer(*this);
    TestRequest request;
    for (char c = 0; !request.head.ends_with("\r\n\r\n") && ::recv(connection, &c, 1, 0) == 1;) {
      request.head.push_back(c);
    }
    const std::size_t begin = request.head.find(' ') + 1;
    request.path = request.head.substr(begin, request.head.find(' ', begin) - begin);
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const TestResponse response = handler_(request);
    const std::string head =
        fmt::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\nConnection: close\r\n{}\r\n",
                    response.status, response.body.size(), response.headers);
    ::send(connection, head.data(), head.size(), MSG_NOSIGNAL);
    const std::size_t end = std::min(response.body.size(), response.break_after.value_or(SIZE_MAX));
    for (std::size_t at = 0; at < end && !stopping_;) {
      const std::size_t piece = std::min({end - at, response.piece, std::size_t{65536}});
      if (at + piece == end) answer.end();
      const ssize_t sent = ::send(connection, response.body.data() + at, piece, MSG_NOSIGNAL);
      if (sent <= 0) return;
      at += static_cast<std::size_t>(sent);
      body_bytes_sent_ += static_cast<std::uint64_t>(sent);
      if (response.pause.count() > 0) std::this_thread::sleep_for(response.pause);
    }
  }

  Handler handler_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::thread acceptor_;
  std::list<std::thread> workers_;
  std::mutex mutex_;
  std::vector<TestRequest> requests_;
  std::atomic<std::uint64_t> body_bytes_sent_{0};
  std::atomic<int> at_once_{0};
  std::atomic<int> most_at_once_{0};
  std::atomic<bool> stopping_{false};
};

/// A loopback port where nobody listens.
inline std::uint16_t closed_port() {
  const TestHttpServer server([](const TestRequest&) { return TestResponse{}; });
  return server.port();
}

}  // namespace premise
