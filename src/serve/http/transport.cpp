#include "serve/http/transport.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace premise {

Transport::Transport(int socket, std::shared_ptr<const TlsContext> tls)
    : socket_(socket), tls_(std::move(tls)) {
  if (tls_ != nullptr) session_ = tls_->session(socket_);
}

IoResult Transport::outcome_of(int result) {
  switch (SSL_get_error(session_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {IoResult::State::want_read, 0};
    case SSL_ERROR_WANT_WRITE:
      return {IoResult::State::want_write, 0};
    default:
      established_ = false;  // after a fatal error not even a goodbye may be sent
      return {IoResult::State::closed, 0};
  }
}

IoResult Transport::handshake() {
  if (session_ == nullptr) return {IoResult::State::closed, 0};
  ERR_clear_error();
  const int result = SSL_do_handshake(session_.get());
  if (result != 1) return outcome_of(result);
  established_ = true;
  return {};
}

IoResult Transport::read(std::span<char> buffer) {
  if (tls_ != nullptr) {
    if (!established_) return {IoResult::State::closed, 0};
    ERR_clear_error();
    std::size_t bytes = 0;
    const int result = SSL_read_ex(session_.get(), buffer.data(), buffer.size(), &bytes);
    if (result != 1) {
      if (SSL_get_error(session_.get(), result) == SSL_ERROR_ZERO_RETURN) {
        return {IoResult::State::ended, 0};
      }
      return outcome_of(result);
    }
    return {IoResult::State::done, bytes};
  }
  while (true) {
    const auto got = ::recv(socket_, buffer.data(), buffer.size(), 0);
    if (got > 0) return {IoResult::State::done, static_cast<std::size_t>(got)};
    if (got == 0) return {IoResult::State::ended, 0};
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
      return {IoResult::State::want_read, 0};
    return {IoResult::State::closed, 0};
  }
}

IoResult Transport::write(std::string_view bytes) {
  if (tls_ != nullptr) {
    if (!established_) return {IoResult::State::closed, 0};
    ERR_clear_error();
    std::size_t sent = 0;
    const int result = SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &sent);
    if (result != 1) return outcome_of(result);
    return {IoResult::State::done, sent};
  }
  while (true) {
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) return {IoResult::State::done, static_cast<std::size_t>(sent)};
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {IoResult::State::want_write, 0};
    return {IoResult::State::closed, 0};
  }
}

void Transport::end_writing() {
  if (tls_ != nullptr && established_) {
    ERR_clear_error();
    SSL_shutdown(session_.get());
  }
  ::shutdown(socket_, SHUT_WR);
}

}  // namespace premise
