// The sliding minute of serve/gate/limits.h as a Lua script, which a Redis runs as one step:
// between looking and taking no other server comes.
//
// It is the same arithmetic in the same doubles, so that a limit means the same with one server and
// with many; a test runs both over the same history. The clock is the Redis': servers' clocks may
// differ by seconds, and a minute that is not the same for all is no minute.
#pragma once

#include <string>
#include <string_view>

namespace premise {

/// Lua that sets `ms`, milliseconds since 1970, from the clock of the Redis.
extern const std::string_view redis_clock;

/// Over KEYS[1], a hash that expires when it has no more to say:
///   "take" limit amount     counts `amount`, or refuses it where over `limit` (0: never)
///   "change" amount minute  adds to what was counted in a minute that is not forgotten
/// Answers {seconds to wait (0: taken), the minute it was counted in}.
std::string window_script(std::string_view clock = redis_clock);

}  // namespace premise
