// Answers in a Redis, shared by servers and kept over restarts.
//
// How much is kept is the Redis' own business (maxmemory with an LRU policy): each answer here has
// its end and its greatest size. Whoever may write to that Redis decides what is answered, and
// whoever may read it reads what was; keep it to the servers. A value that is no answer is a
// failure and a miss, and is written over by the next answer.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "redis/outage.h"
#include "redis/redis_client.h"
#include "serve/cache/result_cache.h"

namespace premise {

class RedisResultCache final : public ResultCache {
 public:
  struct Options {
    std::string prefix = "premise:answer:";
    std::chrono::milliseconds lifetime = std::chrono::hours(1);
    Outage::Tell tell{};  // for the log: that it fails, and that it works again
  };

  RedisResultCache(std::shared_ptr<RedisClient> redis, Options options);

  std::optional<CachedAnswer> find(const ResultKey& key) override;
  void put(const ResultKey& key, const CachedAnswer& answer) override;
  void set_lifetime(std::chrono::milliseconds lifetime) override {
    shared_->lifetime_ms = lifetime.count();
  }
  ResultCacheStats stats() const override;

 private:
  // Outlives this: a write may end later.
  struct Shared {
    explicit Shared(Outage::Tell tell) : outage(std::move(tell)) {}
    Outage outage;
    std::atomic<std::int64_t> lifetime_ms{0};
    std::atomic<std::uint64_t> hits{0}, misses{0}, stored{0};
  };
  std::optional<CachedAnswer> miss(const Error* why);

  std::shared_ptr<RedisClient> redis_;
  std::string prefix_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace premise
