#include "serve/gate/limits.h"

#include <algorithm>

namespace premise {
namespace {

constexpr std::int64_t minute_ms = 60'000;
constexpr std::int64_t reserved_tokens_max = std::int64_t{1} << 40;  // sums stay far from overflow

}  // namespace

std::string_view limit_refusal_name(LimitRefusal refusal) {
  switch (refusal) {
    case LimitRefusal::none:
      return "";
    case LimitRefusal::requests_per_minute:
      return "requests_per_minute";
    case LimitRefusal::requests_per_day:
      return "requests_per_day";
    case LimitRefusal::tokens_per_minute:
      return "tokens_per_minute";
    case LimitRefusal::tokens_per_day:
      return "tokens_per_day";
    case LimitRefusal::too_large:
      return "too_large";
  }
  return "";
}

void MemoryLimits::Window::advance(std::int64_t to_minute) {
  if (to_minute <= minute) return;  // a clock that was set back gives nothing away
  before = to_minute == minute + 1 ? now : 0;
  now = 0;
  minute = to_minute;
}

std::int64_t MemoryLimits::Window::wait_seconds(std::int64_t limit, std::int64_t amount,
                                                std::int64_t ms) const {
  // Looks at this second and the next 120: by then both minutes are forgotten.
  for (std::int64_t seconds = 0; seconds <= 120; ++seconds) {
    const std::int64_t at = std::max(ms + seconds * 1000, minute * minute_ms);
    const std::int64_t passed = at / minute_ms - minute;
    const std::int64_t inside = passed == 0 ? now : 0;
    const std::int64_t fading = passed == 0 ? before : passed == 1 ? now : 0;
    const double share = static_cast<double>(minute_ms - at % minute_ms) / minute_ms;
    const double used = static_cast<double>(inside) + static_cast<double>(fading) * share;
    if (used + static_cast<double>(amount) <= static_cast<double>(limit)) return seconds;
  }
  return 121;
}

MemoryLimits::Counters& MemoryLimits::counters(std::int64_t key_id, std::int64_t ms) {
  Counters& found = keys_[key_id];
  found.requests.advance(ms / minute_ms);
  found.tokens.advance(ms / minute_ms);
  if (const std::int64_t day = ms / day_ms; day > found.day) {
    found.day = day;
    found.day_requests = found.day_tokens = 0;
  }
  return found;
}

LimitAnswer MemoryLimits::until_midnight(LimitRefusal refusal, const Counters& used,
                                         std::int64_t ms) {
  const std::int64_t left_ms = (used.day + 1) * day_ms - ms;
  return {refusal, std::max<std::int64_t>(1, (left_ms + 999) / 1000)};
}

LimitAnswer MemoryLimits::admit_request(std::int64_t key_id, const KeyLimits& limits) {
  const std::lock_guard lock(mutex_);
  const std::int64_t ms = clock_();
  Counters& used = counters(key_id, ms);
  if (limits.requests_per_day > 0 && used.day_requests >= limits.requests_per_day)
    return until_midnight(LimitRefusal::requests_per_day, used, ms);
  if (const std::int64_t limit = limits.requests_per_minute; limit > 0) {
    if (const std::int64_t wait = used.requests.wait_seconds(limit, 1, ms); wait > 0)
      return {LimitRefusal::requests_per_minute, wait};
  }
  ++used.requests.now;
  ++used.day_requests;
  return {};
}

LimitAnswer MemoryLimits::reserve(std::int64_t key_id, const KeyLimits& limits, std::int64_t tokens,
                                  TokenReservation& reservation) {
  const std::lock_guard lock(mutex_);
  const std::int64_t ms = clock_();
  if (tokens < 0 || tokens > reserved_tokens_max) return {LimitRefusal::too_large, 0};
  Counters& used = counters(key_id, ms);
  const auto alone_over = [tokens](std::int64_t limit) { return limit > 0 && tokens > limit; };
  if (alone_over(limits.tokens_per_minute) || alone_over(limits.tokens_per_day))
    return {LimitRefusal::too_large, 0};
  if (limits.tokens_per_day > 0 && tokens > limits.tokens_per_day - used.day_tokens)
    return until_midnight(LimitRefusal::tokens_per_day, used, ms);
  if (const std::int64_t limit = limits.tokens_per_minute; limit > 0) {
    if (const std::int64_t wait = used.tokens.wait_seconds(limit, tokens, ms); wait > 0)
      return {LimitRefusal::tokens_per_minute, wait};
  }
  used.tokens.now += tokens;
  used.day_tokens += tokens;
  reservation = {key_id, tokens, used.tokens.minute, used.day};
  return {};
}

void MemoryLimits::settle(const TokenReservation& reservation, std::int64_t used) {
  const std::lock_guard lock(mutex_);
  Counters& found = counters(reservation.key_id, clock_());
  const std::int64_t change =
      std::clamp<std::int64_t>(used, 0, reserved_tokens_max) - reservation.tokens;
  if (reservation.minute == found.tokens.minute) found.tokens.now += change;
  if (reservation.minute == found.tokens.minute - 1) found.tokens.before += change;
  if (reservation.day == found.day) found.day_tokens += change;
}

void MemoryLimits::add_day_use(const DayUse& use) {
  const std::lock_guard lock(mutex_);
  Counters& found = counters(use.key_id, clock_());
  if (use.day != found.day) return;
  found.day_requests += std::clamp<std::int64_t>(use.requests, 0, INT64_MAX / 4);
  found.day_tokens += std::clamp<std::int64_t>(use.tokens, 0, INT64_MAX / 4);
}

}  // namespace premise
