// One TCP connection to a Redis: opened, logged in, and read until a moment that the caller names.
//
// Every wait ends at its deadline, whatever the server does: the socket never blocks, and poll()
// waits for it no longer than what is left. The one thing that cannot be bounded is the system's
// look-up of a host's name (getaddrinfo), which is why RedisClient does all this on a thread that
// nobody waits for longer than they wish.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "redis/redis_reply.h"
#include "redis/redis_url.h"

namespace premise {

/// One thread. Closes its socket.
class RedisConnection {
 public:
  using Clock = std::chrono::steady_clock;

  /// Connects, gives user and password, chooses the database, and waits for an answer to PING: a
  /// server that takes connections but answers nothing, or is still loading, is not one yet. An
  /// Error names the place, never the password.
  static Result<RedisConnection> open(const RedisUrl& url, std::size_t reply_bytes_max,
                                      Clock::time_point deadline);

  RedisConnection(RedisConnection&& other) noexcept;
  RedisConnection& operator=(RedisConnection&& other) noexcept;
  ~RedisConnection();

  int descriptor() const { return socket_; }

  /// Queues bytes; flush() and receive() move them.
  void send(std::string_view bytes) { out_ += bytes; }
  bool has_output() const { return sent_ < out_.size(); }

  /// Writes and reads as much as the socket takes and has; does not wait.
  Status flush();
  Status receive();
  Result<std::optional<RedisReply>> next() { return reader_.next(); }

 private:
  RedisConnection(int socket, std::size_t reply_bytes_max)
      : socket_(socket), reader_(reply_bytes_max) {}
  Status log_in(const RedisUrl& url, Clock::time_point deadline);
  Result<RedisReply> wait_for_reply(Clock::time_point deadline);

  int socket_ = -1;
  std::string out_;
  std::size_t sent_ = 0;  // of out_
  RedisReplyReader reader_;
};

/// Waits until `descriptor` has one of `events` (poll's), or the deadline; which came, 0: none.
short poll_until(int descriptor, short events, RedisConnection::Clock::time_point deadline);

}  // namespace premise
