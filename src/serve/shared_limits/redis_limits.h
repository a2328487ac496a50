// Limits per minute that several servers share through a Redis; days stay with the local backend,
// whose counters are durable.
//
// Where the Redis cannot be asked, the minute is counted here alone, loudly, until it can
// (docs/decisions/0007-shared-limits-without-redis.md). Every request is counted here as well all
// the time, so that this server never grants more than the limit by itself, in whatever minute the
// Redis goes: n servers grant at most n times the limit while they are apart.
//
// Keys without a limit per minute never ask the Redis. Taking waits for it, at most for one
// command's time; giving back does not wait, since settle() is called by the thread that computes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "redis/outage.h"
#include "redis/redis_client.h"
#include "serve/gate/limits.h"

namespace premise {

class RedisLimits final : public LimitBackend {
 public:
  struct Options {
    /// What a key is called on every server that shares its limit: its name. Ids are each
    /// database's own, so that two servers' key 3 may be two people's.
    std::function<std::string(std::int64_t key_id)> identity;
    std::string prefix = "premise:limit:";
    Outage::Tell tell{};  // for the log: that minutes are counted here alone, and shared again
  };

  /// `local` counts days, and minutes while there is no Redis; it outlives this.
  RedisLimits(std::shared_ptr<RedisClient> redis, LimitBackend& local, Options options);

  LimitAnswer admit_request(std::int64_t key_id, const KeyLimits& limits) override;
  LimitAnswer reserve(std::int64_t key_id, const KeyLimits& limits, std::int64_t tokens,
                      TokenReservation& reservation) override;
  void settle(const TokenReservation& reservation, std::int64_t used) override;

  /// Whether the last minute that was asked for was shared; and how often one was not.
  bool shared() const { return !outage_.failing(); }
  std::uint64_t counted_alone() const { return outage_.failures(); }

 private:
  enum class Counted { requests, tokens };
  struct Taken {
    std::int64_t wait_seconds = 0;  // 0: taken
    std::int64_t minute = 0;        // of the Redis' clock
  };
  /// Nothing where the Redis cannot be asked.
  std::optional<Taken> take(Counted what, std::int64_t key_id, std::int64_t limit,
                            std::int64_t amount);
  void change(Counted what, std::int64_t key_id, std::int64_t amount, std::int64_t minute);
  std::string key(Counted what, std::int64_t key_id) const;

  std::shared_ptr<RedisClient> redis_;
  LimitBackend& local_;
  Options options_;
  RedisScript script_;
  Outage outage_;
};

}  // namespace premise
