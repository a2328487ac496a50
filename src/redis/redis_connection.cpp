#include "redis/redis_connection.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "base/printable.h"

namespace premise {
namespace {

constexpr std::size_t receive_bytes = 64 << 10;
constexpr std::size_t receive_turns = 64;  // before answers that have come are handed out

Error no_answer() {
  return error(ErrorCode::network, {"no answer within the time allowed", "在限定时间内没有应答"});
}

Error system_error(int number) {
  return error(ErrorCode::network, {"{}", "{}"}, std::string_view(std::strerror(number)));
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

void prepare_socket(int socket) {
  const int on = 1, idle_seconds = 30, interval_seconds = 10, probes = 3;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // A peer that vanished without a word is noticed between requests, not by one of them.
  setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle_seconds, sizeof idle_seconds);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &interval_seconds, sizeof interval_seconds);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

/// A connected socket, or an Error. Owns nothing afterwards but what it returns.
Result<int> connect_to(const addrinfo& address, RedisConnection::Clock::time_point deadline) {
  const int made = socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (made < 0) return system_error(errno);
  int problem = connect(made, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
  if (problem == EINPROGRESS) {
    socklen_t length = sizeof problem;
    if (poll_until(made, POLLOUT, deadline) == 0)
      problem = ETIMEDOUT;
    else if (getsockopt(made, SOL_SOCKET, SO_ERROR, &problem, &length) != 0)
      problem = errno;
  }
  if (problem != 0) {
    close(made);
    return system_error(problem);
  }
  prepare_socket(made);
  return made;
}

Result<int> connect_to(const RedisUrl& url, RedisConnection::Clock::time_point deadline) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int problem =
      getaddrinfo(url.host.c_str(), std::to_string(url.port).c_str(), &wanted, &list);
  const std::unique_ptr<addrinfo, FreeAddresses> addresses(list);
  if (problem != 0)
    return error(ErrorCode::network, {"the host is not known: {}", "无法解析主机名：{}"},
                 std::string_view(gai_strerror(problem)));
  Result<int> made = system_error(EHOSTUNREACH);
  for (const addrinfo* each = list; each != nullptr && !made; each = each->ai_next)
    made = connect_to(*each, deadline);
  return made;
}

/// What a server says to a command that held the password: its first word only. A server that does
/// not know AUTH repeats what it was given.
std::string code_of(const RedisReply& reply) {
  const std::string_view code = std::string_view(reply.text).substr(0, reply.text.find(' '));
  const bool is_code = code.size() <= 32 && std::ranges::all_of(code, [](char c) {
                         return (c >= 'A' && c <= 'Z') || c == '_';
                       });
  return is_code ? std::string(code) : "ERR";
}

}  // namespace

short poll_until(int descriptor, short events, RedisConnection::Clock::time_point deadline) {
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - RedisConnection::Clock::now());
    pollfd waited{descriptor, events, 0};
    const auto ms = std::clamp<std::int64_t>(left.count(), 0, 60'000);
    const int found = poll(&waited, 1, static_cast<int>(ms));
    if (found > 0) return waited.revents;
    if (found == 0 && left.count() <= 60'000) return 0;
    if (found < 0 && errno != EINTR) return POLLERR;
    if (left.count() <= 0) return 0;
  }
}

RedisConnection::RedisConnection(RedisConnection&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      out_(std::move(other.out_)),
      sent_(std::exchange(other.sent_, 0)),
      reader_(std::move(other.reader_)) {}

RedisConnection& RedisConnection::operator=(RedisConnection&& other) noexcept {
  std::swap(socket_, other.socket_);
  std::swap(out_, other.out_);
  std::swap(sent_, other.sent_);
  std::swap(reader_, other.reader_);
  return *this;
}

RedisConnection::~RedisConnection() {
  if (socket_ >= 0) close(socket_);
}

Result<RedisConnection> RedisConnection::open(const RedisUrl& url, std::size_t reply_bytes_max,
                                              Clock::time_point deadline) {
  const std::string name = "Redis " + url.place();
  const Text place{name, name};
  auto socket = connect_to(url, deadline);
  if (!socket) return at(place, std::move(socket).error());
  RedisConnection connection(*socket, reply_bytes_max);
  if (Status status = connection.log_in(url, deadline); !status)
    return at(place, std::move(status).error());
  return connection;
}

Status RedisConnection::log_in(const RedisUrl& url, Clock::time_point deadline) {
  const std::string database = std::to_string(url.database);
  if (!url.password.empty())
    send(url.user.empty() ? redis_command({"AUTH", url.password})
                          : redis_command({"AUTH", url.user, url.password}));
  if (url.database != 0) send(redis_command({"SELECT", database}));
  send(redis_command({"PING"}));
  if (!url.password.empty()) {
    PREMISE_TRY(const RedisReply reply, wait_for_reply(deadline));
    if (reply.kind == RedisReply::Kind::error)
      return error(ErrorCode::network,
                   {"user or password were not accepted ({})", "用户名或密码未被接受（{}）"},
                   code_of(reply));
  }
  if (url.database != 0) {
    PREMISE_TRY(const RedisReply reply, wait_for_reply(deadline));
    if (reply.kind == RedisReply::Kind::error && !reply.is_error("NOAUTH"))
      return error(ErrorCode::network,
                   {"there is no database {} ({})", "没有编号为 {} 的数据库（{}）"}, url.database,
                   code_of(reply));
  }
  PREMISE_TRY(const RedisReply pong, wait_for_reply(deadline));
  if (pong.is_error("NOAUTH"))
    return error(ErrorCode::network, {"it needs a password; write redis://:password@host",
                                      "需要密码；请写成 redis://:password@host"});
  if (pong.kind != RedisReply::Kind::status || pong.text != "PONG")
    return error(ErrorCode::network, {"it is not ready ({})", "尚未就绪（{}）"}, code_of(pong));
  return {};
}

Result<RedisReply> RedisConnection::wait_for_reply(Clock::time_point deadline) {
  while (true) {
    PREMISE_CHECK(flush());
    PREMISE_TRY(auto reply, next());
    if (reply) return std::move(*reply);
    const short events = static_cast<short>(has_output() ? POLLIN | POLLOUT : POLLIN);
    if (poll_until(socket_, events, deadline) == 0 || Clock::now() >= deadline) return no_answer();
    PREMISE_CHECK(receive());
  }
}

Status RedisConnection::flush() {
  while (has_output()) {
    const ssize_t count =
        ::send(socket_, out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) {
      sent_ += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (sent_ > receive_bytes) out_.erase(0, std::exchange(sent_, 0));
      return {};
    } else if (errno != EINTR) {
      return system_error(errno);
    }
  }
  out_.clear();
  sent_ = 0;
  return {};
}

Status RedisConnection::receive() {
  std::array<char, receive_bytes> buffer;
  for (std::size_t turn = 0; turn < receive_turns; ++turn) {
    const ssize_t count = recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count == 0)
      return error(ErrorCode::network, {"it closed the connection", "对方关闭了连接"});
    if (count < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return {};
      return system_error(errno);
    }
    PREMISE_CHECK(reader_.feed({buffer.data(), static_cast<std::size_t>(count)}));
    if (static_cast<std::size_t>(count) < buffer.size()) return {};
  }
  return {};
}

}  // namespace premise
