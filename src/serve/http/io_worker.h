// An I/O thread: an event loop, and what its connections share. Internal: this header and
// connection.h are the only ones with Asio in them.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <ctime>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_set>
#include <vector>

#include "serve/http/exchange.h"
#include "serve/http/server.h"

namespace premise {

class HttpConnection;

/// What all connections of a server share. Counters are read by anybody.
struct HttpService {
  HttpLimits limits;
  HttpHandler handler;
  HttpAdmission admit;
  HttpErrorRenderer render_error;

  std::atomic<bool> draining = false;
  std::atomic<std::size_t> body_bytes = 0;
  std::atomic<std::size_t> requests_running = 0;
  std::atomic<std::uint64_t> connections_total = 0;
  std::atomic<std::uint64_t> connections_refused = 0;
  std::atomic<std::uint64_t> requests_total = 0;
  std::atomic<std::uint64_t> refusals_total = 0;
  std::atomic<std::uint64_t> cancelled_total = 0;

  /// Open connections; who waits for the last one to close is told.
  class Open {
   public:
    void add();
    void remove();
    std::size_t count() const;
    /// False when some are still open at `until`.
    bool wait_for_none(std::chrono::steady_clock::time_point until);

   private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t count_ = 0;
  } open;
};

class IoWorker final {
 public:
  explicit IoWorker(HttpService& service);
  ~IoWorker();

  boost::asio::io_context& io() { return io_; }
  HttpService& service() { return service_; }
  const std::shared_ptr<WakeList>& wakes() const { return wakes_; }

  void run();
  /// Ends the loop and waits for the thread. Connections must be closed.
  void stop();

  // On the worker's own thread:
  void enter(HttpConnection& connection) { connections_.insert(&connection); }
  void leave(HttpConnection& connection) { connections_.erase(&connection); }
  const std::unordered_set<HttpConnection*>& connections() const { return connections_; }
  /// Room for one read, overwritten by the next.
  std::vector<char>& scratch() { return scratch_; }
  /// Now, as a Date field has it.
  std::string_view date();

 private:
  void wake_connections();

  HttpService& service_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  std::shared_ptr<WakeList> wakes_;
  std::unordered_set<HttpConnection*> connections_;
  std::vector<char> scratch_;
  std::time_t date_time_ = 0;
  std::string date_;
  std::thread thread_;
};

}  // namespace premise
