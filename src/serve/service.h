// What a running server is made of, as every stage of a request sees it.
//
// What a reload may change lies in a snapshot: a request takes one when it comes and keeps it, so
// that no request is judged by two configurations.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "serve/endpoint/endpoint.h"
#include "serve/gate/key_ring.h"
#include "serve/gate/limits.h"
#include "serve/observe/access_log.h"
#include "serve/observe/service_metrics.h"

namespace premise {

struct Settings {
  Config config;
  std::shared_ptr<AccessLog> log;

  Language language() const {
    return config.server.language == "zh" ? Language::chinese : Language::english;
  }
};

/// Any thread may use any member; all of it outlives the requests.
struct Service {
  std::vector<std::shared_ptr<ModelEndpoint>> models;  // the first is the default
  KeyRing* keys = nullptr;  // null: nobody needs a key, which is for loopback alone
  ServiceMetrics* metrics = nullptr;
  LimitBackend* limits = nullptr;

  std::shared_ptr<const Settings> settings() const {
    const std::lock_guard lock(mutex_);
    return settings_;
  }
  void set_settings(std::shared_ptr<const Settings> settings) {
    const std::lock_guard lock(mutex_);
    settings_ = std::move(settings);
  }

  /// By its name; an empty name means the default. Null where there is none.
  std::shared_ptr<ModelEndpoint> find_model(std::string_view name) const;
  std::vector<ModelCard> cards() const;
  bool ready() const;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Settings> settings_;
};

/// The access log that a configuration describes.
Result<std::shared_ptr<AccessLog>> open_access_log(const LogConfig& config);

}  // namespace premise
