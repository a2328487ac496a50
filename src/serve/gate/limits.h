// Requests and tokens, per minute and per day, by key.
//
// The minute slides: what counts is the current fixed minute plus the part of the one before that
// still lies inside the last sixty seconds, as if its use had been spread evenly. Two numbers a key
// do it, and no burst of twice the limit passes at the border of two minutes, as it does with fixed
// windows; a log of every request would be exact, at the price of memory that clients choose.
//
// Tokens are reserved before a request runs (prompt + the most it may generate) and settled with
// what was used. A day is a day of UTC. Days are counted here from what the database says at the
// start (add_day_use) and are as durable as its counters; minutes are forgotten at a restart.
//
// LimitBackend is the seam for counters that several servers share (serve/shared_limits).
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <unordered_map>

#include "serve/gate/api_key.h"

namespace premise {

enum class LimitRefusal {
  none,
  requests_per_minute,
  requests_per_day,
  tokens_per_minute,
  tokens_per_day,
  too_large
};

/// The name used in metrics and audit lines: "requests_per_minute", …; empty for none.
std::string_view limit_refusal_name(LimitRefusal refusal);

struct LimitAnswer {
  LimitRefusal refusal = LimitRefusal::none;
  /// For Retry-After: after so many seconds the same request fits, if nothing else comes. 0 where
  /// waiting does not help (too_large: over the limit all by itself).
  std::int64_t retry_after_seconds = 0;

  bool ok() const { return refusal == LimitRefusal::none; }
};

/// What a key used up of a day.
/// The day of a time: since 1970, UTC.
constexpr std::int64_t day_ms = 86'400'000;
constexpr std::int64_t day_of(std::int64_t time_ms) { return time_ms / day_ms; }

struct DayUse {
  std::int64_t key_id = 0;
  std::int64_t day = 0;  // since 1970, UTC
  std::int64_t requests = 0;
  std::int64_t tokens = 0;
};

/// What reserve() took, to be handed to settle() exactly once.
struct TokenReservation {
  std::int64_t key_id = 0;
  std::int64_t tokens = 0;
  std::int64_t minute = 0;
  std::int64_t day = 0;
  std::int64_t shared_minute = 0;  // by the clock that servers share; 0: counted here alone
};

/// Safe for any number of threads; does not throw.
class LimitBackend {
 public:
  virtual ~LimitBackend() = default;

  /// Counts a request for the minute and the day, or refuses it and counts nothing.
  virtual LimitAnswer admit_request(std::int64_t key_id, const KeyLimits& limits) = 0;

  /// Takes `tokens` from the minute and the day, or refuses and takes nothing.
  virtual LimitAnswer reserve(std::int64_t key_id, const KeyLimits& limits, std::int64_t tokens,
                              TokenReservation& reservation) = 0;

  /// Gives back what was not used, or takes what was used beyond it, from the minute and day of the
  /// reservation.
  virtual void settle(const TokenReservation& reservation, std::int64_t used) = 0;
};

class MemoryLimits final : public LimitBackend {
 public:
  using Clock = std::function<std::int64_t()>;  // milliseconds since 1970

  explicit MemoryLimits(Clock clock) : clock_(std::move(clock)) {}

  LimitAnswer admit_request(std::int64_t key_id, const KeyLimits& limits) override;
  LimitAnswer reserve(std::int64_t key_id, const KeyLimits& limits, std::int64_t tokens,
                      TokenReservation& reservation) override;
  void settle(const TokenReservation& reservation, std::int64_t used) override;

  /// Use of this day that is on disk already; called once a key, before its first request.
  void add_day_use(const DayUse& use);

 private:
  struct Window {
    std::int64_t minute = 0;  // since 1970
    std::int64_t now = 0;     // used in it
    std::int64_t before = 0;  // used in the minute before

    void advance(std::int64_t to_minute);
    /// Seconds until `amount` more fits under `limit`; 0: now.
    std::int64_t wait_seconds(std::int64_t limit, std::int64_t amount, std::int64_t ms) const;
  };
  struct Counters {
    Window requests;
    Window tokens;
    std::int64_t day = 0;
    std::int64_t day_requests = 0;
    std::int64_t day_tokens = 0;
  };

  static LimitAnswer until_midnight(LimitRefusal refusal, const Counters& used, std::int64_t ms);
  Counters& counters(std::int64_t key_id, std::int64_t ms);

  std::mutex mutex_;
  Clock clock_;
  std::unordered_map<std::int64_t, Counters> keys_;  // as many as there are keys, not clients
};

}  // namespace premise
