// Any bytes as what a Redis sends, in pieces: replies or an error, and no more memory than they
// have bytes for; and as the URL of one: an error, or a place that is one.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "redis/redis_reply.h"
#include "redis/redis_url.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace premise;
  if (size == 0) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (const auto url = parse_redis_url(bytes); url.ok()) {
    const auto again = parse_redis_url("redis://" + url->place());
    if (!again.ok() || again->place() != url->place()) __builtin_trap();
  }
  const std::size_t piece = std::max<std::size_t>(1, data[0]);
  RedisReplyReader reader(1 << 16);
  while (!bytes.empty()) {
    if (!reader.feed(bytes.substr(0, piece)).ok()) return 0;
    bytes.remove_prefix(std::min(piece, bytes.size()));
    while (true) {
      const auto reply = reader.next();
      if (!reply.ok()) return 0;
      if (!reply->has_value()) break;
    }
  }
  return 0;
}
