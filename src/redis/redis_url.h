// redis://[user[:password]@]host[:port][/database]: where a Redis is, as configuration writes it.
//
// The form is the one registered with IANA ("redis" URI scheme). Options after "?" have no common
// meaning and are refused, as is rediss://: Debian 12's hiredis has no TLS, and a connection that
// silently went out in the clear would be worse than none. A password stands in the URL, so that no
// error here repeats the URL: they name the part that is wrong.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace premise {

struct RedisUrl {
  std::string user{};      // empty: the default user
  std::string password{};  // empty: none is asked for
  std::string host;        // a name, an IPv4 address, or an IPv6 address without its brackets
  std::uint16_t port = 6379;
  std::uint32_t database = 0;

  /// "host:port/database", for messages: without user and password.
  std::string place() const;
};

/// An Error (usage) says what is wrong, and never holds the password.
Result<RedisUrl> parse_redis_url(std::string_view text);

}  // namespace premise
