#include "serve/shared_limits/window_script.h"

namespace premise {
namespace {

// Compare MemoryLimits::Window::advance() and wait_seconds(). Numbers go back as digits: Redis
// writes a Lua number with 17 of them, which is none of ours.
constexpr std::string_view window_body = R"lua(
local held = redis.call('HMGET', KEYS[1], 'minute', 'now', 'before')
local minute = tonumber(held[1]) or 0
local now = tonumber(held[2]) or 0
local before = tonumber(held[3]) or 0

local current = math.floor(ms / 60000)
if current > minute then
  if current ~= minute + 1 then now = 0 end
  minute, before, now = current, now, 0
end

local function wait_seconds(limit, amount)
  for seconds = 0, 120 do
    local at = math.max(ms + seconds * 1000, minute * 60000)
    local passed = math.floor(at / 60000) - minute
    local inside, fading = 0, 0
    if passed == 0 then inside, fading = now, before elseif passed == 1 then fading = now end
    local share = (60000 - at % 60000) / 60000
    if inside + fading * share + amount <= limit then return seconds end
  end
  return 121
end

if ARGV[1] == 'take' then
  local limit, amount = tonumber(ARGV[2]), tonumber(ARGV[3])
  if limit > 0 then
    local wait = wait_seconds(limit, amount)
    if wait > 0 then return {wait, minute} end
  end
  now = now + amount
else
  -- Never below nothing: a Redis that lost its memory has not counted what is given back.
  local change, of = tonumber(ARGV[2]), tonumber(ARGV[3])
  if of == minute then
    now = math.max(0, now + change)
  elseif of == minute - 1 then
    before = math.max(0, before + change)
  else
    return {0, minute}
  end
end

local function digits(number) return string.format('%.0f', number) end
redis.call('HSET', KEYS[1], 'minute', digits(minute), 'now', digits(now), 'before', digits(before))
redis.call('PEXPIRE', KEYS[1], 180000)
return {0, minute}
)lua";

}  // namespace

const std::string_view redis_clock =
    "local time = redis.call('TIME')\n"
    "local ms = time[1] * 1000 + math.floor(time[2] / 1000)\n";

std::string window_script(std::string_view clock) {
  return std::string(clock) + std::string(window_body);
}

}  // namespace premise
