#include "serve/shared_limits/redis_limits.h"

#include <algorithm>
#include <utility>

#include "serve/shared_limits/window_script.h"

namespace premise {
namespace {

// As MemoryLimits has it: sums stay far from what a double cannot hold exactly.
constexpr std::int64_t settled_tokens_max = std::int64_t{1} << 40;

KeyLimits without_minutes(KeyLimits limits) {
  limits.requests_per_minute = 0;
  limits.tokens_per_minute = 0;
  return limits;
}

}  // namespace

RedisLimits::RedisLimits(std::shared_ptr<RedisClient> redis, LimitBackend& local, Options options)
    : redis_(std::move(redis)),
      local_(local),
      options_(std::move(options)),
      script_(window_script()),
      outage_(options_.tell) {}

LimitAnswer RedisLimits::admit_request(std::int64_t key_id, const KeyLimits& limits) {
  const std::int64_t limit = limits.requests_per_minute;
  if (limit <= 0) return local_.admit_request(key_id, limits);
  const auto taken = take(Counted::requests, key_id, limit, 1);
  if (!taken) return local_.admit_request(key_id, limits);
  if (taken->wait_seconds > 0) return {LimitRefusal::requests_per_minute, taken->wait_seconds};
  const LimitAnswer days = local_.admit_request(key_id, without_minutes(limits));
  if (!days.ok()) change(Counted::requests, key_id, -1, taken->minute);
  return days;
}

LimitAnswer RedisLimits::reserve(std::int64_t key_id, const KeyLimits& limits, std::int64_t tokens,
                                 TokenReservation& reservation) {
  const std::int64_t limit = limits.tokens_per_minute;
  if (limit <= 0) return local_.reserve(key_id, limits, tokens, reservation);
  if (tokens < 0 || tokens > std::min(limit, settled_tokens_max))
    return {LimitRefusal::too_large, 0};
  const auto taken = take(Counted::tokens, key_id, limit, tokens);
  if (!taken) return local_.reserve(key_id, limits, tokens, reservation);
  if (taken->wait_seconds > 0) return {LimitRefusal::tokens_per_minute, taken->wait_seconds};
  const LimitAnswer days = local_.reserve(key_id, without_minutes(limits), tokens, reservation);
  if (days.ok())
    reservation.shared_minute = taken->minute;
  else
    change(Counted::tokens, key_id, -tokens, taken->minute);
  return days;
}

void RedisLimits::settle(const TokenReservation& reservation, std::int64_t used) {
  local_.settle(reservation, used);
  const std::int64_t difference =
      std::clamp<std::int64_t>(used, 0, settled_tokens_max) - reservation.tokens;
  if (reservation.shared_minute != 0 && difference != 0)
    change(Counted::tokens, reservation.key_id, difference, reservation.shared_minute);
}

std::string RedisLimits::key(Counted what, std::int64_t key_id) const {
  return options_.prefix + (what == Counted::requests ? "requests:" : "tokens:") +
         options_.identity(key_id);
}

std::optional<RedisLimits::Taken> RedisLimits::take(Counted what, std::int64_t key_id,
                                                    std::int64_t limit, std::int64_t amount) {
  const auto reply = redis_->run(script_, key(what, key_id),
                                 {"take", std::to_string(limit), std::to_string(amount)});
  if (!reply) {
    outage_.failed(reply.error());
    return std::nullopt;
  }
  using Kind = RedisReply::Kind;
  const auto& list = reply->list;
  if (list.size() != 2 || list[0].kind != Kind::integer || list[1].kind != Kind::integer) {
    outage_.failed(error(ErrorCode::network,
                         {"Redis {}: the script of limits answered what it never does",
                          "Redis {}：限额脚本返回了异常的应答"},
                         redis_->url().place()));
    return std::nullopt;
  }
  outage_.worked();
  return Taken{std::clamp<std::int64_t>(list[0].integer, 0, 121), list[1].integer};
}

// What cannot be given back now is forgotten with its minute: until then the key has less, not
// more.
void RedisLimits::change(Counted what, std::int64_t key_id, std::int64_t amount,
                         std::int64_t minute) {
  redis_->run_later(script_, key(what, key_id),
                    {"change", std::to_string(amount), std::to_string(minute)});
}

}  // namespace premise
