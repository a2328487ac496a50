// Answers by what was asked. A cache is never in the way: what cannot be found, read or written is
// a miss.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "serve/cache/cached_answer.h"
#include "serve/cache/result_key.h"

namespace premise {

struct ResultCacheStats {
  std::uint64_t hits = 0, misses = 0;
  std::uint64_t stored = 0, evicted = 0;
  std::uint64_t failures = 0;            // of which a miss or a loss was the result
  std::uint64_t entries = 0, bytes = 0;  // held in this process
};

/// Any thread may call any member.
class ResultCache {
 public:
  virtual ~ResultCache() = default;

  /// May wait for another machine, but not longer than its command may take: not for a thread that
  /// computes. An answer that is found has as many choices as the key says.
  virtual std::optional<CachedAnswer> find(const ResultKey& key) = 0;

  /// Does not wait. Too long an answer is not kept.
  virtual void put(const ResultKey& key, const CachedAnswer& answer) = 0;

  /// How long an answer is kept from now on.
  virtual void set_lifetime(std::chrono::milliseconds lifetime) = 0;

  virtual ResultCacheStats stats() const = 0;
};

/// What became of a request, as the header of its answer tells the client.
enum class CacheUse : std::uint8_t {
  hit,     // answered from the cache
  miss,    // computed, and kept where it ends well
  bypass,  // the request said "cache": false, or has another answer each time
};
inline constexpr std::string_view cache_header = "x-premise-cache";
inline constexpr std::string_view name_of(CacheUse use) {
  return use == CacheUse::hit ? "hit" : use == CacheUse::miss ? "miss" : "bypass";
}

}  // namespace premise
