// The socket's side of a connection, and the order of things: handshake, requests, farewell.
#include "serve/http/connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace premise {
namespace {

using boost::asio::redirect_error;
using boost::asio::use_awaitable;

/// What a client may send ahead while an answer is under way.
constexpr std::size_t input_bytes_max = 16 << 10;
/// Reads after which other connections of the thread have their turn.
constexpr unsigned reads_in_turn = 16;
/// How long, and for how many bytes, a refused client is listened to: closing at once would reset
/// the connection and take the refusal with it (RFC 9112, 9.6).
constexpr std::chrono::seconds linger_time{2};
constexpr std::size_t linger_bytes_max = 16 << 20;

HttpPeer peer_of(const boost::asio::ip::tcp::endpoint& endpoint) {
  const auto address = endpoint.address();
  // A client of IPv4 on a socket for both is still a client of IPv4.
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return {
        boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6()).to_string(),
        endpoint.port()};
  }
  return {address.to_string(), endpoint.port()};
}

}  // namespace

HttpConnection::HttpConnection(Socket socket, IoWorker& worker,
                               std::shared_ptr<const TlsContext> tls)
    : socket_(std::move(socket)),
      worker_(worker),
      service_(worker.service()),
      transport_(socket_.native_handle(), std::move(tls)),
      timer_(worker.io()),
      parser_(service_.limits),
      written_at_(Clock::now()) {
  boost::system::error_code ignored;
  socket_.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
  boost::system::error_code code;
  if (const auto endpoint = socket_.remote_endpoint(code); !code) peer_ = peer_of(endpoint);
  if (const auto endpoint = socket_.local_endpoint(code); !code) local_ = peer_of(endpoint);
}

HttpConnection::~HttpConnection() = default;

void HttpConnection::start() {
  service_.open.add();
  worker_.enter(*this);
  boost::system::error_code code;
  socket_.non_blocking(true, code);
  if (code) return close();
  boost::asio::co_spawn(worker_.io(), run(),
                        [self = shared_from_this()](const std::exception_ptr&) { self->close(); });
}

void HttpConnection::wake() {
  woken_ = true;
  timer_.cancel();
}

void HttpConnection::cut() {
  cut_ = true;
  wake();
}

void HttpConnection::close() {
  if (!socket_.is_open()) return;
  boost::system::error_code ignored;
  if (reset_on_close_) socket_.set_option(boost::asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
  timer_.cancel();
  forget_body();
  worker_.leave(*this);
  service_.open.remove();
}

HttpConnection::Awaitable<void> HttpConnection::run() {
  if (transport_.tls()) {
    const bool met = co_await shake_hands();
    if (!met) co_return;
  }
  bool going_on = true;
  while (going_on) {
    going_on = co_await read_request();
    if (going_on) going_on = co_await answer();
    if (going_on && !input_.empty()) co_await yield();
  }
  if (cut_ || reset_on_close_) co_return;
  transport_.end_writing();
  if (lingers_ && !input_ended_) co_await linger();
}

HttpConnection::Awaitable<bool> HttpConnection::shake_hands() {
  const auto deadline = Clock::now() + service_.limits.header_time;
  while (true) {
    const IoResult result = transport_.handshake();
    if (result.state == IoResult::State::done) co_return true;
    if (result.state == IoResult::State::closed) co_return false;
    watch(result.state == IoResult::State::want_read);
    if (cut_ || service_.draining || Clock::now() >= deadline) co_return false;
    co_await sleep(deadline);
  }
}

HttpConnection::Awaitable<void> HttpConnection::linger() {
  const auto deadline = Clock::now() + linger_time;
  std::size_t bytes = 0;
  while (!cut_ && Clock::now() < deadline && bytes < linger_bytes_max) {
    input_.clear();
    const Read got = try_read();
    if (got == Read::ended || got == Read::closed) co_return;
    bytes += input_.size();
    if (got == Read::nothing) {
      co_await sleep(deadline);
    } else if (++reads_ % reads_in_turn == 0) {
      co_await yield();
    }
  }
}

HttpConnection::Awaitable<HttpConnection::More> HttpConnection::read_more(
    Clock::time_point deadline, bool idle) {
  while (true) {
    if (cut_) co_return More::gone;
    const Read got = try_read();
    if (got == Read::ended || got == Read::closed) co_return More::gone;
    if (got == Read::some) {
      if (++reads_ % reads_in_turn == 0) co_await yield();
      co_return More::some;
    }
    if (idle && service_.draining) co_return More::gone;
    if (Clock::now() >= deadline) co_return More::late;
    if (input_.empty()) input_ = {};  // whoever waits keeps no memory
    co_await sleep(deadline);
  }
}

HttpConnection::Awaitable<bool> HttpConnection::flush() {
  written_at_ = Clock::now();
  while (true) {
    if (!try_write()) co_return false;
    if (out_.empty()) co_return true;
    if (cut_ || Clock::now() >= write_deadline()) {
      reset_on_close_ = true;
      co_return false;
    }
    co_await sleep(write_deadline());
  }
}

HttpConnection::Awaitable<void> HttpConnection::sleep(Clock::time_point until) {
  if (!woken_) {
    timer_.expires_at(until);
    boost::system::error_code ignored;
    co_await timer_.async_wait(redirect_error(use_awaitable, ignored));
  }
  woken_ = false;
}

HttpConnection::Awaitable<void> HttpConnection::yield() {
  co_await boost::asio::post(worker_.io(), use_awaitable);
}

bool HttpConnection::input_is_full() const { return input_.size() >= input_bytes_max; }

HttpConnection::Read HttpConnection::try_read() {
  if (broken_) return Read::closed;
  if (input_ended_) return Read::ended;
  if (!can_read_ || input_is_full()) return Read::nothing;
  const std::span<char> scratch = worker_.scratch();
  const IoResult result = transport_.read(scratch);
  switch (result.state) {
    case IoResult::State::done:
      input_.append(scratch.data(), result.bytes);
      return Read::some;
    case IoResult::State::ended:
      input_ended_ = true;
      return Read::ended;
    case IoResult::State::closed:
      input_ended_ = broken_ = true;
      return Read::closed;
    default:
      note(result, can_read_);
      return Read::nothing;
  }
}

bool HttpConnection::try_write() {
  while (out_begin_ < out_.size() && can_write_) {
    const IoResult result = transport_.write(std::string_view(out_).substr(out_begin_));
    if (result.state == IoResult::State::closed) return false;
    if (result.state == IoResult::State::done) {
      out_begin_ += result.bytes;
      written_at_ = Clock::now();
    } else {
      note(result, can_write_);
    }
  }
  if (out_begin_ == out_.size()) {
    out_ = {};
    out_begin_ = 0;
  }
  return true;
}

void HttpConnection::note(const IoResult& result, bool& ready) {
  ready = false;
  watch(result.state == IoResult::State::want_read);
}

void HttpConnection::watch(bool for_reading) {
  if (std::exchange(for_reading ? watches_read_ : watches_write_, true)) return;
  socket_.async_wait(for_reading ? Socket::wait_read : Socket::wait_write,
                     [self = shared_from_this(), for_reading](const boost::system::error_code&) {
                       self->socket_event(for_reading);
                     });
}

void HttpConnection::socket_event(bool for_reading) {
  (for_reading ? watches_read_ : watches_write_) = false;
  // TLS may read to write and write to read, so an event is worth a try at both.
  can_read_ = can_write_ = true;
  wake();
}

bool HttpConnection::peer_hung_up() const {
  pollfd asked{const_cast<Socket&>(socket_).native_handle(), POLLRDHUP, 0};
  return ::poll(&asked, 1, 0) > 0 && (asked.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

}  // namespace premise
