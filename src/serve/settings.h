// What a reload may replace while requests run. A request takes one snapshot as it begins and keeps
// it to its end: it never sees half of an old configuration and half of a new one.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "config/config.h"
#include "serve/gate/key_ring.h"
#include "serve/observe/access_log.h"

namespace premise {

struct ServiceSettings {
  Config config;
  Language language = Language::english;  // where a client names none
  std::shared_ptr<KeyRing> keys;          // null: nobody needs a key, which is for loopback alone
  std::shared_ptr<AccessLog> log;
};
using SettingsSnapshot = std::shared_ptr<const ServiceSettings>;

/// Thread-safe.
class SettingsSlot {
 public:
  explicit SettingsSlot(SettingsSnapshot first) : now_(std::move(first)) {}

  SettingsSnapshot get() const {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  void set(SettingsSnapshot next) {
    const std::lock_guard lock(mutex_);
    now_.swap(next);  // the old one dies outside of the lock, as `next` does
  }

 private:
  mutable std::mutex mutex_;
  SettingsSnapshot now_;
};

}  // namespace premise
