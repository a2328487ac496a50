// `premise serve`: HTTP, keys and limits, dialects and models, joined. The way of a request:
//
//   http → origin → route → key, request rate → dialect decodes → tokens counted → token budget
//        → endpoint → events → dialect encodes → bytes; budget settled and logged before the last
//
// Each part is a room of its own and knows nothing of the others; this file is the only one that
// knows them all.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "serve/endpoint/endpoint.h"
#include "serve/gate/key_ring.h"
#include "serve/observe/access_log.h"
#include "serve/observe/service_metrics.h"

namespace premise {

/// What stands before the first connection is taken. Everything outlives the server.
struct ServerSetup {
  Config config;
  Language language = Language::english;               // where a client names none
  std::vector<std::shared_ptr<ModelEndpoint>> models;  // the first is the default
  KeyRing* keys = nullptr;  // null: nobody needs a key, which is for loopback alone
  ServiceMetrics* metrics = nullptr;
  AccessLog* log = nullptr;
};

class Server {
 public:
  /// Listens and serves. An Error (usage) where the address cannot be had, or where it is not one
  /// of loopback and there are no keys.
  static Result<std::unique_ptr<Server>> start(ServerSetup setup);
  ~Server();

  std::uint16_t port() const;

  /// Takes no more requests, lets running ones end within `limit`, then cuts them.
  void drain(std::chrono::milliseconds limit);

 private:
  class Body;
  explicit Server(std::unique_ptr<Body> body);
  std::unique_ptr<Body> body_;
};

}  // namespace premise
