// A Redis, asked by any number of threads over one connection.
//
// One thread of its own owns the socket. Commands of all callers are sent as they come and answered
// in that order (pipelining), so that one connection carries what a pool would; a pool would need a
// connection for every thread that may wait, each with a login and a failure of its own. And since
// nobody else touches the socket, a caller waits for an answer and never for a connection, a lock
// or the resolver: ask() ends within the command's time, send() at once.
//
// When a command is not answered in time, or a connection cannot be had, the Redis counts as down:
// commands fail at once, with the reason, until a new connection has answered a PING. Attempts
// follow each other after 0 to 2 s. So a Redis that hangs costs each caller one wait, not one for
// every request. A server that closes the connection (it was restarted) is connected to again at
// once, and commands given meanwhile wait for that. A command that was sent and not answered is
// never repeated: nobody knows whether it was carried out.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "redis/redis_connection.h"

namespace premise {

struct RedisOptions {
  std::chrono::milliseconds connect_timeout{1000};  // of connecting and logging in
  std::chrono::milliseconds command_timeout{250};
  std::size_t reply_bytes_max = std::size_t{8} << 20;
  std::size_t waiting_bytes_max = std::size_t{64} << 20;  // of commands that are not answered
};

/// A Lua script, run where the data is; known to the server by its SHA-1 after the first time.
struct RedisScript {
  explicit RedisScript(std::string lua);
  std::string source;
  std::string sha1;  // in hexadecimal; empty where OpenSSL refuses the algorithm
};

/// Any thread may call any member.
class RedisClient {
 public:
  /// Called once: on the client's thread, or on the caller's where the command is refused at once.
  /// Returns soon and does not throw; may send(). What the server refuses comes as a reply of kind
  /// error; an Error (network) says that no answer came.
  using Done = std::function<void(const Result<RedisReply>& reply)>;
  using Words = std::vector<std::string_view>;

  /// An Error (usage) where the URL is wrong. Connecting goes on behind: ask check() whether it
  /// works.
  static Result<std::unique_ptr<RedisClient>> open(std::string_view url, RedisOptions options = {});
  /// Sends what is queued if that is possible within the command's time. Waits for an attempt to
  /// connect to end, which takes its time at most, or the resolver's.
  ~RedisClient();
  RedisClient(const RedisClient&) = delete;
  RedisClient& operator=(const RedisClient&) = delete;

  /// Whether the Redis can be reached, logged in to, and answers. For a program's start.
  Status check();

  /// One command and its answer. Errors (network) name the place and what is wrong.
  Result<RedisReply> ask(const Words& words);
  /// The same without waiting. Commands are carried out in the order given, also those of ask().
  void send(const Words& words, Done done = {});

  /// A script over one key.
  Result<RedisReply> run(const RedisScript& script, std::string_view key, const Words& arguments);
  void run_later(const RedisScript& script, std::string_view key, const Words& arguments,
                 Done done = {});

  const RedisUrl& url() const { return url_; }

 private:
  using Clock = RedisConnection::Clock;
  struct Command {
    std::string bytes;
    std::size_t size = 0;  // of bytes, which are given away when they are sent
    Done done;
    Clock::time_point deadline{};
  };
  using Commands = std::deque<Command>;

  RedisClient(RedisUrl url, RedisOptions options, int wake);
  Result<RedisReply> wait_for(std::chrono::milliseconds timeout,
                              const std::function<void(Done)>& give);
  void submit(std::string bytes, Done done);
  void work();
  Error serve(RedisConnection& connection);
  bool take(RedisConnection& connection, Commands& in_flight);
  Status deliver(RedisConnection& connection, Commands& in_flight);
  std::optional<Error> refusal(std::size_t bytes) const;
  void fail(const Commands& commands, const Error& why);
  void go_down(const Error& why);
  bool pause(std::chrono::milliseconds time);
  Error explained(Error error) const;

  const RedisUrl url_;
  const RedisOptions options_;
  const int wake_;  // eventfd

  std::mutex mutex_;
  Commands inbox_;
  std::size_t waiting_bytes_ = 0;
  std::optional<Error> down_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace premise
