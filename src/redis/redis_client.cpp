#include "redis/redis_client.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <utility>

#include "base/printable.h"

namespace premise {
namespace {

constexpr std::chrono::milliseconds pause_least{50}, pause_most{2000};
constexpr std::chrono::milliseconds grace{50};  // for the client's thread to say why
constexpr std::size_t told_bytes_max = 200;     // of what a server says

std::string sha1_hex(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned length = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha1(), nullptr) != 1)
    return "";
  std::string out;
  for (unsigned i = 0; i < length; ++i) out += fmt::format("{:02x}", digest[i]);
  return out;
}

RedisClient::Words joined(RedisClient::Words begin, const RedisClient::Words& rest) {
  begin.insert(begin.end(), rest.begin(), rest.end());
  return begin;
}

/// Where a caller waits. Shared, since an answer may come after the caller has given up.
struct AwaitedReply {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<Result<RedisReply>> reply;
};

}  // namespace

RedisScript::RedisScript(std::string lua) : source(std::move(lua)), sha1(sha1_hex(source)) {}

Result<std::unique_ptr<RedisClient>> RedisClient::open(std::string_view url, RedisOptions options) {
  PREMISE_TRY(RedisUrl parsed, parse_redis_url(url));
  const int wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wake < 0)
    return error(ErrorCode::no_resources, {"no descriptor is left: {}", "文件描述符已用尽：{}"},
                 std::string_view(std::strerror(errno)));
  std::unique_ptr<RedisClient> client(new RedisClient(std::move(parsed), options, wake));
  client->thread_ = std::thread([&self = *client] { self.work(); });
  return client;
}

RedisClient::RedisClient(RedisUrl url, RedisOptions options, int wake)
    : url_(std::move(url)), options_(options), wake_(wake) {}

RedisClient::~RedisClient() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  static_cast<void>(eventfd_write(wake_, 1));
  if (thread_.joinable()) thread_.join();
  close(wake_);
}

Status RedisClient::check() {
  const auto reply = wait_for(options_.connect_timeout + options_.command_timeout,
                              [&](Done done) { submit(redis_command({"PING"}), std::move(done)); });
  return reply ? Status() : Status(reply.error());
}

Result<RedisReply> RedisClient::ask(const Words& words) {
  return wait_for(options_.command_timeout, [&](Done done) { send(words, std::move(done)); });
}

void RedisClient::send(const Words& words, Done done) {
  submit(redis_command(words), std::move(done));
}

Result<RedisReply> RedisClient::run(const RedisScript& script, std::string_view key,
                                    const Words& arguments) {
  return wait_for(options_.command_timeout,
                  [&](Done done) { run_later(script, key, arguments, std::move(done)); });
}

void RedisClient::run_later(const RedisScript& script, std::string_view key, const Words& arguments,
                            Done done) {
  std::string whole = redis_command(joined({"EVAL", script.source, "1", key}, arguments));
  if (script.sha1.empty()) return submit(std::move(whole), std::move(done));
  // A server that was restarted does not know the script: then it gets it, and keeps it.
  auto first = [this, whole = std::move(whole),
                done = std::move(done)](const Result<RedisReply>& reply) mutable {
    if (!reply || !reply->is_error("NOSCRIPT")) {
      if (done) done(reply);
      return;
    }
    submit(std::move(whole), std::move(done));
  };
  submit(redis_command(joined({"EVALSHA", script.sha1, "1", key}, arguments)), std::move(first));
}

Result<RedisReply> RedisClient::wait_for(std::chrono::milliseconds timeout,
                                         const std::function<void(Done)>& give) {
  auto awaited = std::make_shared<AwaitedReply>();
  give([awaited](const Result<RedisReply>& reply) {
    const std::lock_guard lock(awaited->mutex);
    awaited->reply = reply;
    awaited->changed.notify_all();
  });
  std::unique_lock lock(awaited->mutex);
  if (!awaited->changed.wait_for(lock, timeout + grace, [&] { return awaited->reply.has_value(); }))
    return explained(error(ErrorCode::network, {"no answer within {} ms", "{} 毫秒内没有应答"},
                           timeout.count()));
  if (!awaited->reply->ok()) return awaited->reply->error();
  RedisReply reply = std::move(**awaited->reply);
  if (reply.kind != RedisReply::Kind::error) return reply;
  return explained(error(ErrorCode::network, {"it refused a command: {}", "拒绝了命令：{}"},
                         printable(std::string_view(reply.text).substr(0, told_bytes_max))));
}

Error RedisClient::explained(Error error) const {
  const std::string place = "Redis " + url_.place();
  return at({place, place}, std::move(error));
}

void RedisClient::submit(std::string bytes, Done done) {
  std::optional<Error> refused;
  {
    const std::lock_guard lock(mutex_);
    const std::size_t size = bytes.size();
    refused = refusal(size);
    if (!refused) {
      waiting_bytes_ += size;
      inbox_.push_back(
          {std::move(bytes), size, std::move(done), Clock::now() + options_.command_timeout});
      static_cast<void>(eventfd_write(wake_, 1));
      return;
    }
  }
  if (done) done(*refused);
}

/// Why a command of so many bytes cannot be taken now. Under mutex_.
std::optional<Error> RedisClient::refusal(std::size_t bytes) const {
  if (stopping_)
    return explained(error(ErrorCode::network, {"it is being closed", "连接正在关闭"}));
  if (down_) return down_;
  if (bytes > options_.waiting_bytes_max - waiting_bytes_)
    return explained(error(ErrorCode::network,
                           {"too many commands wait for their answers", "等待应答的命令过多"}));
  return std::nullopt;
}

// The client's thread.

void RedisClient::work() {
  std::chrono::milliseconds wait{0};
  do {
    const auto begun = Clock::now();
    auto connection =
        RedisConnection::open(url_, options_.reply_bytes_max, begun + options_.connect_timeout);
    if (!connection) {
      go_down(connection.error());
    } else {
      {
        const std::lock_guard lock(mutex_);
        down_.reset();
        for (Command& each : inbox_) each.deadline = Clock::now() + options_.command_timeout;
      }
      const Error end = serve(*connection);
      if (Clock::now() - begun > pause_most) wait = std::chrono::milliseconds(0);
      if (wait.count() > 0) go_down(end);  // it comes and goes
    }
    if (!pause(wait)) break;
    wait = std::clamp(wait * 2, pause_least, pause_most);
  } while (true);
  go_down(explained(error(ErrorCode::network, {"it is being closed", "连接正在关闭"})));
}

Error RedisClient::serve(RedisConnection& connection) {
  Commands in_flight;
  const auto broken = [&](Error error, bool down) {
    error = explained(std::move(error));
    if (down) go_down(error);
    fail(std::exchange(in_flight, {}), error);
    return error;
  };
  while (true) {
    const bool stopping = take(connection, in_flight);
    if (Status status = connection.flush(); !status) return broken(status.error(), false);
    if (stopping && in_flight.empty())
      return broken(error(ErrorCode::network, {"it is being closed", "连接正在关闭"}), false);
    const auto next =
        in_flight.empty() ? Clock::now() + std::chrono::minutes(1) : in_flight.front().deadline;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now()).count();
    const short events = static_cast<short>(connection.has_output() ? POLLIN | POLLOUT : POLLIN);
    pollfd waited[] = {{connection.descriptor(), events, 0}, {wake_, POLLIN, 0}};
    static_cast<void>(poll(waited, 2, static_cast<int>(std::max<std::int64_t>(left, 0))));
    eventfd_t ignored = 0;
    if (waited[1].revents != 0) static_cast<void>(eventfd_read(wake_, &ignored));
    Status status;
    if ((waited[0].revents & ~POLLOUT) != 0) status = connection.receive();
    // What came before the end was still answered.
    if (Status told = deliver(connection, in_flight); !told) return broken(told.error(), true);
    if (!status) return broken(status.error(), false);
    if (!in_flight.empty() && Clock::now() >= in_flight.front().deadline)
      return broken(error(ErrorCode::network, {"no answer within {} ms", "{} 毫秒内没有应答"},
                          options_.command_timeout.count()),
                    true);
  }
}

/// Hands to the connection what callers have given; whether the client is being closed.
bool RedisClient::take(RedisConnection& connection, Commands& in_flight) {
  const std::lock_guard lock(mutex_);
  for (Command& command : inbox_) {
    connection.send(std::exchange(command.bytes, {}));
    in_flight.push_back(std::move(command));
  }
  inbox_.clear();
  return stopping_;
}

Status RedisClient::deliver(RedisConnection& connection, Commands& in_flight) {
  while (true) {
    PREMISE_TRY(auto reply, connection.next());
    if (!reply) return {};
    if (in_flight.empty())
      return error(ErrorCode::network, {"it answers what was not asked", "收到了未请求的应答"});
    Command command = std::move(in_flight.front());
    in_flight.pop_front();
    {
      const std::lock_guard lock(mutex_);
      waiting_bytes_ -= command.size;
    }
    if (command.done) command.done(std::move(*reply));
  }
}

void RedisClient::fail(const Commands& commands, const Error& why) {
  {
    const std::lock_guard lock(mutex_);
    for (const Command& each : commands) waiting_bytes_ -= each.size;
  }
  for (const Command& each : commands)
    if (each.done) each.done(why);
}

/// From here on commands fail at once; those that wait fail now.
void RedisClient::go_down(const Error& why) {
  Commands waiting;
  {
    const std::lock_guard lock(mutex_);
    down_ = why;
    waiting.swap(inbox_);
  }
  fail(waiting, why);
}

/// False where the client is being closed.
bool RedisClient::pause(std::chrono::milliseconds time) {
  const auto end = Clock::now() + time;
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return false;
    }
    if (Clock::now() >= end) return true;
    eventfd_t ignored = 0;
    if (poll_until(wake_, POLLIN, end) != 0) static_cast<void>(eventfd_read(wake_, &ignored));
  }
}

}  // namespace premise
