// A certificate and its key, ready for connections (OpenSSL 3). TLS 1.2 and later.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "base/result.h"

struct ssl_ctx_st;
struct ssl_st;
struct bio_method_st;

namespace premise {

struct TlsFiles {
  std::filesystem::path certificate;  // PEM; the server's own first, then the chain
  std::filesystem::path key;          // PEM, without a passphrase: nobody is there to type it
};

/// Immutable; shared by the connections that began with it.
class TlsContext final {
 public:
  static Result<std::shared_ptr<const TlsContext>> load(const TlsFiles& files);

  struct FreeSession {
    void operator()(ssl_st* session) const;
  };
  using Session = std::unique_ptr<ssl_st, FreeSession>;

  /// The end of the certificate's time: seconds since 1970, UTC. The server's own, not the chain's.
  std::int64_t expires() const { return expires_; }

  /// A server's session over a non-blocking socket, which it borrows. Null when memory is out.
  Session session(int socket) const;

 private:
  struct FreeContext {
    void operator()(ssl_ctx_st* context) const;
  };
  struct FreeMethod {
    void operator()(bio_method_st* method) const;
  };
  TlsContext() = default;

  std::int64_t expires_ = 0;
  std::unique_ptr<bio_method_st, FreeMethod> method_;
  std::unique_ptr<ssl_ctx_st, FreeContext> context_;
};

}  // namespace premise
