// A running `premise serve`: models, books and server together, and how they follow premise.toml.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "cli/console.h"
#include "cli/serve_governance.h"
#include "cli/serve_models.h"
#include "serve/server.h"

namespace premise {

class ServeService {
 public:
  /// Reads the configuration as it is now, overrides of the command line included.
  using ReadConfig = std::function<Result<Config>()>;

  /// Loads every model, then listens.
  static Result<std::unique_ptr<ServeService>> start(Config config, ReadConfig read,
                                                     Console& console);

  /// On SIGHUP: what may change while it runs takes effect, the rest is named. A configuration with
  /// a mistake changes nothing. Says what happened, here and in the audit log, and `by` whom it was
  /// asked for.
  void reload(const std::string& by);

  /// No more requests; those that run may end within `limit`, then they are cut, and have the same
  /// time again to do so. An exit status, and said why, where a model is still being loaded or does
  /// not stop computing: to destroy this would wait for it. The books are on the disk in any case.
  std::optional<int> stop(std::chrono::milliseconds limit);

  const Config& config() const { return config_; }
  Server& server() { return *server_; }

 private:
  ServeService(Config config, ReadConfig read, Console& console);
  Status open();
  Result<ServiceSettings> settings_for(const Config& config);
  Result<std::string> apply(const Config& next, const std::string& by);
  void change_models(const std::vector<ModelConfig>& before, const std::vector<ModelConfig>& after,
                     const std::string& by);
  void tell(const ModelNews& news);

  Config config_;
  const ReadConfig read_;
  Console& console_;
  ServiceMetrics metrics_;
  std::shared_ptr<KeyRing> keys_;
  ModelLoader loader_;
  std::unique_ptr<ServeGovernance> governance_;
  std::unique_ptr<ModelTable> models_;
  std::unique_ptr<Server> server_;  // the last member: it uses all others
};

}  // namespace premise
