// TLS, with a client of OpenSSL's own and certificates made here.
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <future>
#include <mutex>
#include <vector>

#include "serve/http/http_testing.h"
#include "serve/http/server.h"

namespace premise {
namespace {

using namespace premise::testing;

template <auto Free>
struct FreeWith {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, FreeWith<X509_free>>;

/// A key and a certificate that it signed itself, in a folder that goes with this object.
class TlsFolder {
 public:
  TlsFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "premise-tls-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    make("first", nullptr);
  }
  TlsFolder(const TlsFolder&) = delete;
  TlsFolder& operator=(const TlsFolder&) = delete;
  ~TlsFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  TlsFiles files() const { return {folder_ / "cert.pem", folder_ / "key.pem"}; }

  /// Writes a new pair. With a passphrase the key is encrypted.
  void make(const char* name, const char* passphrase, long seconds = 3600) {
    const Key key(EVP_EC_gen("P-256"));
    const Certificate certificate(X509_new());
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -120);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), seconds);
    X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* subject = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    X509_set_issuer_name(certificate.get(), subject);
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    std::FILE* out = std::fopen(files().certificate.c_str(), "w");
    PEM_write_X509(out, certificate.get());
    std::fclose(out);
    out = std::fopen(files().key.c_str(), "w");
    PEM_write_PrivateKey(out, key.get(), passphrase == nullptr ? nullptr : EVP_aes_128_cbc(),
                         reinterpret_cast<const unsigned char*>(passphrase),
                         passphrase == nullptr ? 0 : static_cast<int>(std::strlen(passphrase)),
                         nullptr, nullptr);
    std::fclose(out);
  }

 private:
  std::filesystem::path folder_;
};

class TlsClient {
 public:
  explicit TlsClient(std::uint16_t port, int version = TLS1_3_VERSION)
      : raw_(port), context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_security_level(context_.get(), 0);
    SSL_CTX_set_min_proto_version(context_.get(), version);
    SSL_CTX_set_max_proto_version(context_.get(), version);
    session_.reset(SSL_new(context_.get()));
    static constexpr unsigned char offer[] = {2,   'h', '2', 8,   'h', 't',
                                              't', 'p', '/', '1', '.', '1'};
    SSL_set_alpn_protos(session_.get(), offer, sizeof offer);
    SSL_set_fd(session_.get(), raw_.socket());
    connected_ = SSL_connect(session_.get()) == 1;
    ERR_clear_error();
  }

  bool connected() const { return connected_; }
  std::string protocol() const {
    const unsigned char* name = nullptr;
    unsigned int bytes = 0;
    SSL_get0_alpn_selected(session_.get(), &name, &bytes);
    return {reinterpret_cast<const char*>(name), bytes};
  }
  std::string subject() const {
    const Certificate certificate(SSL_get1_peer_certificate(session_.get()));
    char name[64] = {};
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name,
                              sizeof name);
    return name;
  }
  void send(std::string_view bytes) {
    EXPECT_EQ(SSL_write(session_.get(), bytes.data(), static_cast<int>(bytes.size())),
              static_cast<int>(bytes.size()));
  }
  std::string read_until(std::string_view end) {
    std::string out;
    char buffer[4096];
    while (out.find(end) == std::string::npos) {
      const int got = SSL_read(session_.get(), buffer, sizeof buffer);
      if (got <= 0) break;
      out.append(buffer, static_cast<std::size_t>(got));
    }
    ERR_clear_error();
    return out;
  }
  void close() { raw_.close(); }

 private:
  RawClient raw_;
  std::unique_ptr<SSL_CTX, FreeWith<SSL_CTX_free>> context_;
  std::unique_ptr<SSL, FreeWith<SSL_free>> session_;
  bool connected_ = false;
};

HttpServer::Options tls_options(const TlsFolder& folder) {
  auto options = test_options();
  options.tls = folder.files();
  return options;
}

TEST(HttpTls, ServesKeepAliveAndLargeAnswers) {
  const TlsFolder folder;
  const std::string large(3 << 20, 'q');
  bool tls = false;
  const auto server = serve(tls_options(folder), [&](HttpRequest request, Responder responder) {
    tls = request.tls;
    responder.send({200, {}, request.path == "/large" ? large + "END" : request.body + "END"});
  });
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient client(server->port(), version);
    ASSERT_TRUE(client.connected());
    EXPECT_EQ(client.protocol(), "http/1.1");
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\n" +
                std::string(50000, 'b'));
    EXPECT_TRUE(client.read_until("END").ends_with("bbbEND"));
    EXPECT_TRUE(tls);
    client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(client.read_until("END").ends_with("\r\n\r\n" + large + "END"));
  }
}

TEST(HttpTls, OldVersionsAndPlainTextAreRefused) {
  const TlsFolder folder;
  const auto server = serve(tls_options(folder), echo);
  EXPECT_FALSE(TlsClient(server->port(), TLS1_1_VERSION).connected());
  RawClient plain(server->port());
  plain.send(get_root);
  EXPECT_EQ(plain.read_to_end().find("200"), std::string::npos);
  EXPECT_TRUE(eventually([&] { return server->stats().connections == 0; }));
}

TEST(HttpTls, ASilentHandshakeEndsInTime) {
  const TlsFolder folder;
  auto options = tls_options(folder);
  options.limits.header_time = 50ms;
  const auto server = serve(options, echo);
  RawClient silent(server->port());
  EXPECT_EQ(silent.read_to_end(), "");
}

TEST(HttpTls, StreamsAndNoticesALeavingClient) {
  const TlsFolder folder;
  std::promise<StreamWriter> given;
  std::promise<CancelReason> reason;
  const auto server = serve(tls_options(folder), [&](HttpRequest, Responder responder) {
    responder.on_cancel([&](CancelReason why) { reason.set_value(why); });
    given.set_value(responder.stream({}));
  });
  TlsClient client(server->port());
  client.send(get_root);
  StreamWriter stream = given.get_future().get();
  stream.write("data: 1\n\n");
  EXPECT_TRUE(client.read_until("1\n\n\r\n").ends_with("9\r\ndata: 1\n\n\r\n"));
  client.close();
  EXPECT_EQ(reason.get_future().get(), CancelReason::client_gone);
}

TEST(HttpTls, ReloadTakesTheNewCertificateAndKeepsTheOldOnAnError) {
  TlsFolder folder;
  const auto server = serve(tls_options(folder), echo);
  TlsClient old(server->port());
  EXPECT_EQ(old.subject(), "first");
  folder.make("second", nullptr);
  ASSERT_TRUE(server->reload_tls().ok());
  EXPECT_EQ(TlsClient(server->port()).subject(), "second");
  old.send(get_root);
  EXPECT_TRUE(old.read_until("GET / ").ends_with("GET / ")) << "open connections go on";

  folder.make("locked", "secret");  // and nobody is asked for the passphrase
  const Status status = server->reload_tls();
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().what.en.find("key.pem"), std::string::npos);
  EXPECT_EQ(TlsClient(server->port()).subject(), "second");
}

TEST(HttpTls, TheEndOfTheCertificateThatIsShownIsKnown) {
  const auto seconds_left = [](const HttpServer& server) {
    return server.stats().certificate_expires.value_or(0) - std::time(nullptr);
  };
  TlsFolder folder;
  const auto server = serve(tls_options(folder), echo);
  EXPECT_NEAR(static_cast<double>(seconds_left(*server)), 3600, 30);
  folder.make("second", nullptr, -60);
  ASSERT_TRUE(server->reload_tls().ok()) << "an old one is better than none";
  EXPECT_NEAR(static_cast<double>(seconds_left(*server)), -60, 30);
  EXPECT_FALSE(serve(test_options(), echo)->stats().certificate_expires);
}

/// Their clients, which live in this process too, included.
TEST(HttpTls, IdleStreamsAreSmall) {
  if (sanitized) GTEST_SKIP() << "memory is not measured under a sanitizer";
  constexpr std::size_t streams = 200;
  const TlsFolder folder;
  std::mutex mutex;
  std::vector<StreamWriter> writers;
  const auto server = serve(tls_options(folder), [&](HttpRequest, Responder responder) {
    const std::lock_guard lock(mutex);
    writers.push_back(responder.stream({}));
    writers.back().write("data: token\n\n");
  });
  const std::size_t before = resident_bytes();
  std::vector<std::unique_ptr<TlsClient>> clients;
  for (std::size_t i = 0; i < streams; ++i) {
    clients.push_back(std::make_unique<TlsClient>(server->port()));
    clients.back()->send(get_root);
    ASSERT_FALSE(clients.back()->read_until("token\n\n\r\n").empty());
  }
  const std::size_t bytes = (resident_bytes() - before) / streams;
  RecordProperty("bytes_a_stream", std::to_string(bytes));
  EXPECT_LT(bytes, 200u << 10);
}
TEST(HttpTls, AKeyOfAnotherCertificateIsRefused) {
  TlsFolder folder;
  const TlsFolder other;
  auto options = test_options();
  options.tls = TlsFiles{folder.files().certificate, other.files().key};
  const auto server = HttpServer::start(options, echo);
  ASSERT_FALSE(server.ok());
  EXPECT_EQ(server.error().code, ErrorCode::bad_input);
  EXPECT_FALSE(serve(test_options(), echo)->reload_tls().ok());
}

}  // namespace
}  // namespace premise
