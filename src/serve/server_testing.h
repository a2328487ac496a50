// A whole server on a free port, before a model that says what a test tells it to.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "serve/gate/gate_testing.h"
#include "serve/http/http_testing.h"
#include "serve/local/local_endpoint.h"
#include "serve/local/scripted_testing.h"
#include "serve/server.h"

namespace premise::testing {

/// The text of all messages, byte by byte.
class PlainEncoder final : public PromptEncoder {
 public:
  explicit PlainEncoder(std::shared_ptr<const Tokenizer> tokenizer)
      : tokenizer_(std::move(tokenizer)) {}
  Result<Encoded> encode(const Conversation& conversation) const override {
    std::string all;
    for (const Message& message : conversation.messages)
      for (const MessagePart& part : message.parts)
        if (const auto* words = std::get_if<TextPart>(&part)) all += words->text;
    Encoded encoded;
    encoded.tokens = tokenizer_->encode(all);
    return encoded;
  }

 private:
  std::shared_ptr<const Tokenizer> tokenizer_;
};

class ServedScript : public ::testing::Test {
 protected:
  ServedScript() {
    config_.server.port = 0;
    config_.log.path = (folder_ / "access.log").string();
    config_.log.format = "json";
    engine_ = std::make_unique<ScriptedEngine>();
    gate_ = engine_->gate;
  }
  ~ServedScript() override {
    gate_->set(true);
    server_.reset();
  }

  void start() {
    auto tokenizer = Tokenizer::from_json(byte_tokenizer_json());
    ASSERT_TRUE(tokenizer.ok());
    const auto shared = std::make_shared<const Tokenizer>(std::move(tokenizer).value());
    endpoint_ = std::make_shared<LocalEndpoint>(std::move(engine_), shared,
                                                std::make_shared<PlainEncoder>(shared),
                                                LocalEndpointOptions{.name = "tiny"});
    auto server = Server::start(setup());
    ASSERT_TRUE(server.ok()) << server.error().what.en;
    server_ = std::move(server).value();
  }
  virtual ServerSetup setup() {
    ServerSetup setup;
    setup.config = config_;
    setup.models = {endpoint_};
    setup.keys = keys_.get();
    setup.metrics = &metrics_;
    return setup;
  }

  /// Keys are needed from now on; returns the secret of one.
  std::string make_key(ApiKey wanted) {
    auto store = KeyStore::open(folder_ / "gate.db");
    EXPECT_TRUE(store.ok());
    auto created = store->create(std::move(wanted));
    EXPECT_TRUE(created.ok());
    auto ring = KeyRing::open(folder_ / "gate.db", [] { return std::int64_t{1'000'000}; }, false);
    EXPECT_TRUE(ring.ok());
    keys_ = std::move(ring).value();
    return created->secret;
  }

  std::string post(std::string_view path, std::string_view body, std::string_view headers = "") {
    RawClient client(server_->port());
    client.send(
        fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                    "application/json\r\nConnection: close\r\nContent-Length: {}\r\n"
                    "{}\r\n{}",
                    path, body.size(), headers, body));
    return client.read_to_end();
  }
  std::string get(std::string_view path, std::string_view headers = "") {
    RawClient client(server_->port());
    client.send(fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{}\r\n",
                            path, headers));
    return client.read_to_end();
  }
  /// The lines of the access log.
  std::string log() const {
    std::ifstream file(config_.log.path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  GateFolder folder_;
  Config config_;
  ServiceMetrics metrics_;
  std::unique_ptr<KeyRing> keys_;
  std::unique_ptr<ScriptedEngine> engine_;
  std::shared_ptr<ScriptedEngine::Gate> gate_;
  std::shared_ptr<LocalEndpoint> endpoint_;
  std::unique_ptr<Server> server_;
};

}  // namespace premise::testing
