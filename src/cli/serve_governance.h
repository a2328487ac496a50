// What an organisation wants of `premise serve` beside answers, made from premise.toml: books on
// the disk, limits, words that must not pass, answers that are kept.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "config/config.h"
#include "redis/redis_client.h"
#include "serve/cache/result_cache.h"
#include "serve/filter/word_filter.h"
#include "serve/gate/key_ring.h"
#include "serve/gate/ledger.h"
#include "serve/gate/limits.h"
#include "serve/service.h"
#include "serve/shared_limits/redis_limits.h"

namespace premise {

/// Outlives the server that uses it. Any thread may call any member.
class ServeGovernance {
 public:
  using Tell = std::function<void(const Text&)>;

  /// Opens all that the configuration asks for. With `keys` requests have owners, so that books are
  /// kept; without (null) only where texts are to be kept. `tell` is called on several threads.
  static Result<std::unique_ptr<ServeGovernance>> open(const Config& config,
                                                       std::shared_ptr<KeyRing> keys, Tell tell);
  /// Writes what is left of the books and tells their head.
  ~ServeGovernance();

  LimitBackend& limits();
  Governance governance();

  /// Takes over what may change: words, action, how long answers are kept. On an Error nothing.
  Status apply(const Config& config);

  /// Something that was done to the server and not asked for in a request.
  struct Deed {
    std::string action;
    std::string by;  // empty: Premise itself
    std::string model{};
    bool failed = false;
    std::string reason{};
    bool always = false;  // also where no log is kept from now on
  };
  /// A line of the audit log, where one is kept.
  void note(const Deed& deed);

  /// Sees the books to the disk, for a process that ends without destructors.
  void save();

  /// Lines for /metrics.
  std::string metrics() const;

 private:
  explicit ServeGovernance(Tell tell);
  Status open_books();
  Status open_limits(const LimitsConfig& config, std::shared_ptr<KeyRing> keys);
  Status open_results(const CacheConfig& config);
  void watch_words();
  void tell_head() const;

  const Tell tell_;
  MemoryLimits local_limits_;
  std::unique_ptr<RedisLimits> shared_limits_;
  std::shared_ptr<ResultCache> results_;
  std::unique_ptr<WordFilter> words_;
  std::unique_ptr<Ledger> ledger_;
  std::atomic<bool> audited_ = true;
  std::unique_ptr<SpanExporter> spans_;

  std::mutex mutex_;
  std::condition_variable stopping_changed_;
  bool stopping_ = false;
  std::thread watcher_;  // the last member: it uses others
};

}  // namespace premise
