// Answers in this process: the least recently used go first when memory is full.
//
// Answers are kept written down (cached_answer.h), one string each: a vector of tokens with their
// alternatives would cost ten times the bytes, and what is full must be known exactly.
#pragma once

#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <unordered_map>

#include "serve/cache/result_cache.h"

namespace premise {

class MemoryResultCache final : public ResultCache {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;

  /// What an entry costs beside its answer: key, nodes of list and table, strings' own.
  static constexpr std::size_t entry_overhead_bytes = 256;

  MemoryResultCache(std::size_t bytes_max, std::chrono::milliseconds lifetime,
                    Clock clock = std::chrono::steady_clock::now)
      : bytes_max_(bytes_max), lifetime_(lifetime), clock_(std::move(clock)) {}

  std::optional<CachedAnswer> find(const ResultKey& key) override;
  void put(const ResultKey& key, const CachedAnswer& answer) override;
  /// Of the answers that are kept already, too.
  void set_lifetime(std::chrono::milliseconds lifetime) override;
  ResultCacheStats stats() const override;

 private:
  struct Entry {
    std::string digest;
    std::string bytes;
    std::chrono::steady_clock::time_point born;
  };
  using Entries = std::list<Entry>;  // the most recently used first

  void erase(Entries::iterator entry);
  static std::size_t cost(const Entry& entry) { return entry.bytes.size() + entry_overhead_bytes; }

  const std::size_t bytes_max_;
  mutable std::mutex mutex_;
  std::chrono::milliseconds lifetime_;
  Clock clock_;
  Entries entries_;
  std::unordered_map<std::string_view, Entries::iterator> by_digest_;  // views into the entries
  ResultCacheStats stats_;
};

}  // namespace premise
