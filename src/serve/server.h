// `premise serve`: HTTP, keys and limits, dialects and models, joined. The way of a request:
//
//   head → origin, target, key, request rate (reception)       on an I/O thread, before the body
//   body → decode → model → tokens counted → budget reserved   (generation)     on a worker
//        → endpoint → stages → encoder → books settled → log → last byte (answer)
//
// Each part is a room of its own and knows nothing of the others; this folder is the only one that
// knows them all.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "serve/models/model_table.h"
#include "serve/observe/service_metrics.h"
#include "serve/service.h"
#include "serve/settings.h"

namespace premise {

/// What stands before the first connection is taken. Everything outlives the server.
struct ServerSetup {
  ServiceSettings settings;
  ModelTable* models = nullptr;
  ServiceMetrics* metrics = nullptr;
  LimitBackend* limits = nullptr;
  Governance governance{};
  std::function<std::string()> more_metrics{};  // of what stands behind the interfaces above
};

class Server {
 public:
  /// Listens and serves. An Error (usage) where the address cannot be had, or where it is not one
  /// of loopback and there are no keys.
  static Result<std::unique_ptr<Server>> start(ServerSetup setup);
  ~Server();

  std::uint16_t port() const;

  /// Requests that begin from now on see these settings; those that run keep theirs. Certificate
  /// and key are read again. Of the HTTP server's options no other changes. On an Error everything
  /// stays as it was. Any thread, one at a time.
  Status apply(ServiceSettings settings);

  /// Takes no more requests, lets running ones end within `limit`, then cuts them.
  void drain(std::chrono::milliseconds limit);

  /// After drain(): whether every answer has ended, waiting for `limit` at most; those that were
  /// cut end with the model's next step. The destructor waits for them however long that takes.
  /// What stands in the access log by then is in its file.
  bool wait_for_answers(std::chrono::milliseconds limit);

 private:
  class Body;
  explicit Server(std::unique_ptr<Body> body);
  std::unique_ptr<Body> body_;
};

}  // namespace premise
