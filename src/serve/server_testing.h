// A whole service on a free port of the loopback, its models being scripts.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <ctime>
#include <fstream>
#include <future>
#include <map>
#include <memory>
#include <sstream>
#include <string>

#include "serve/gate/gate_testing.h"
#include "serve/http/http_testing.h"
#include "serve/local/local_endpoint.h"
#include "serve/local/scripted_testing.h"
#include "serve/models/self_check.h"
#include "serve/server.h"

namespace premise::testing {

class BytesEncoder final : public PromptEncoder {
 public:
  explicit BytesEncoder(std::shared_ptr<const Tokenizer> tokenizer)
      : tokenizer_(std::move(tokenizer)) {}
  Result<Encoded> encode(const Conversation& conversation) const override {
    std::string all;
    for (const Message& message : conversation.messages)
      all += std::get<TextPart>(message.parts.at(0)).text;
    return Encoded{tokenizer_->encode(all), {}, {}};
  }

 private:
  std::shared_ptr<const Tokenizer> tokenizer_;
};

struct Asked {
  int status = 0;
  std::string all;  // head and body
  bool says(std::string_view part) const { return all.find(part) != std::string::npos; }
};

class ServiceTest : public ::testing::Test {
 protected:
  using Engines = std::map<std::string, std::shared_ptr<ScriptedEngine::Gate>>;

  ServiceTest() {
    settings_.config.server.port = 0;
    settings_.config.log.path = folder_ / "access.log";
    settings_.log = open_log("access.log");
  }
  ~ServiceTest() override {
    server_.reset();
    models_.reset();
  }

  std::shared_ptr<AccessLog> open_log(const std::string& name) {
    auto opened = AccessLog::open({.path = folder_ / name});
    EXPECT_TRUE(opened.ok());
    return std::make_shared<AccessLog>(std::move(*opened));
  }
  std::string logged(const std::string& name = "access.log") {
    settings_.log->flush();
    std::ifstream file(folder_ / name);
    std::ostringstream all;
    all << file.rdbuf();
    return all.str();
  }

  /// "mute" says nothing, "missing" cannot be loaded; any other path says itself.
  Result<LoadedVersion> load(const ModelSpec& spec) {
    if (spec.path == "missing") return error(ErrorCode::bad_input, {"no such file", "没有此文件"});
    auto engine = std::make_unique<ScriptedEngine>();
    engine->context_tokens = 4096;
    engine->script = [path = spec.path](const StepRequest&) {
      return path == "mute" ? std::string() : path;
    };
    {
      const std::lock_guard lock(mutex_);
      gates_[spec.path] = engine->gate;
      leaks_.push_back(engine->leaked);
    }
    auto tokenizer = Tokenizer::from_json(byte_tokenizer_json());
    auto shared = std::make_shared<const Tokenizer>(std::move(*tokenizer));
    return LoadedVersion{std::make_shared<LocalEndpoint>(
        std::move(engine), shared, std::make_shared<BytesEncoder>(shared),
        LocalEndpointOptions{.name = spec.name, .queue = 4})};
  }
  void start(std::chrono::milliseconds drain = std::chrono::seconds(20)) {
    ModelTable::Options options;
    options.factory = [this](const ModelSpec& spec) { return load(spec); };
    options.check = [](ModelEndpoint& endpoint) {
      return self_check(endpoint, std::chrono::seconds(10));
    };
    options.limits.drain = drain;
    models_ = std::make_unique<ModelTable>(std::move(options));
    models_->add({"m", "one"}, *load({"m", "one"}));
    auto server = Server::start({settings_, models_.get(), &metrics_, &limits_, governance_});
    ASSERT_TRUE(server.ok()) << server.error().what.en;
    server_ = std::move(*server);
  }

  void need_keys() {
    auto keys = KeyRing::open(
        folder_ / "gate.db", [] { return static_cast<std::int64_t>(std::time(nullptr)); }, false);
    ASSERT_TRUE(keys.ok());
    settings_.keys = std::move(*keys);
  }
  std::string make_key(const std::string& name, unsigned scopes, KeyLimits limits = {},
                       std::vector<std::string> models = {}) {
    auto store = KeyStore::open(folder_ / "gate.db");
    ApiKey key;
    key.name = name;
    key.scopes = scopes;
    key.limits = limits;
    key.models = std::move(models);
    auto created = store->create(std::move(key));
    EXPECT_TRUE(created.ok());
    if (settings_.keys) {
      EXPECT_TRUE(settings_.keys->refresh().ok());
    }
    return created->secret;
  }

  std::string bytes_of(const std::string& method, const std::string& path, const std::string& body,
                       const std::string& key) const {
    return fmt::format(
        "{} {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Content-Length: {}\r\nConnection: close\r\n{}\r\n{}",
        method, path, body.size(),
        key.empty() ? std::string() : "Authorization: Bearer " + key + "\r\n", body);
  }
  Asked ask(const std::string& method, const std::string& path, const std::string& body = "",
            const std::string& key = "") {
    RawClient client(server_->port());
    EXPECT_TRUE(client.send(bytes_of(method, path, body, key)));
    return read(client);
  }
  Asked read(RawClient& client) {
    Asked asked{0, client.read_to_end()};
    if (asked.all.size() > 12) asked.status = std::stoi(asked.all.substr(9, 3));
    return asked;
  }
  std::future<Asked> ask_later(const std::string& method, const std::string& path,
                               const std::string& body, const std::string& key = "") {
    return std::async(std::launch::async, [=, this] { return ask(method, path, body, key); });
  }
  Asked complete(const std::string& key = "", const std::string& more = "") {
    return ask("POST", "/v1/completions", completion(more), key);
  }
  static std::string completion(const std::string& more = "") {
    return R"({"model":"m","prompt":"x","max_tokens":40)" + more + "}";
  }
  void gate(const std::string& path, bool open) {
    const std::lock_guard lock(mutex_);
    gates_.at(path)->set(open);
  }
  std::size_t accepted() { return models_->find("m")->requests; }

  GateFolder folder_;
  ServiceSettings settings_;
  MemoryLimits limits_{[] { return static_cast<std::int64_t>(std::time(nullptr)) * 1000; }};
  Governance governance_{};
  ServiceMetrics metrics_;
  std::mutex mutex_;
  Engines gates_;
  std::vector<std::shared_ptr<std::size_t>> leaks_;
  std::unique_ptr<ModelTable> models_;
  std::unique_ptr<Server> server_;
};

}  // namespace premise::testing
