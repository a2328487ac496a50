// The bytes of one connection, plain or through TLS, on a socket that never blocks.
//
// Every call does what can be done at once and says what to wait for. So a connection keeps no
// buffer while it waits, and one piece of code serves both kinds.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "serve/http/tls_context.h"

namespace premise {

struct IoResult {
  enum class State { done, want_read, want_write, ended, closed };
  State state = State::done;
  std::size_t bytes = 0;  // of `done`; never 0 for read() and write()
};

/// Borrows the socket, which outlives it. One thread.
class Transport final {
 public:
  /// `tls` null: plain.
  Transport(int socket, std::shared_ptr<const TlsContext> tls);

  bool tls() const { return tls_ != nullptr; }
  IoResult handshake();
  /// `ended`: the peer will send nothing more, and may have gone or may still read: TCP does not
  /// tell which. `closed`: the connection is broken.
  IoResult read(std::span<char> buffer);
  IoResult write(std::string_view bytes);
  /// Says that nothing more will be written; bytes of the peer may still be read.
  void end_writing();

 private:
  IoResult outcome_of(int result);

  int socket_;
  std::shared_ptr<const TlsContext> tls_;
  TlsContext::Session session_;
  bool established_ = false;
};

}  // namespace premise
