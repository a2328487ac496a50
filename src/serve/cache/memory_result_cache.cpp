#include "serve/cache/memory_result_cache.h"

#include <iterator>
#include <utility>

namespace premise {

std::optional<CachedAnswer> MemoryResultCache::find(const ResultKey& key) {
  std::string bytes;
  {
    const std::lock_guard lock(mutex_);
    const auto found = by_digest_.find(key.digest);
    if (found == by_digest_.end()) {
      ++stats_.misses;
      return std::nullopt;
    }
    const auto entry = found->second;
    if (clock_() - entry->born >= lifetime_) {
      erase(entry);
      ++stats_.misses;
      return std::nullopt;
    }
    entries_.splice(entries_.begin(), entries_, entry);
    bytes = entry->bytes;
  }
  auto answer = decode_answer(bytes);  // outside the lock: it takes longer than the rest
  const bool fits = answer.ok() && answer->choices.size() == key.choices;
  const std::lock_guard lock(mutex_);
  ++(fits ? stats_.hits : stats_.misses);
  if (fits) return std::move(*answer);
  ++stats_.failures;
  return std::nullopt;
}

void MemoryResultCache::put(const ResultKey& key, const CachedAnswer& answer) {
  Entry made{key.digest, encode_answer(answer), {}};
  made.bytes.shrink_to_fit();
  const std::size_t bytes = cost(made);
  if (made.bytes.size() > cached_answer_bytes_max || bytes > bytes_max_) return;
  const std::lock_guard lock(mutex_);
  made.born = clock_();
  if (const auto found = by_digest_.find(made.digest); found != by_digest_.end())
    erase(found->second);
  while (!entries_.empty() && stats_.bytes + bytes > bytes_max_) {
    erase(std::prev(entries_.end()));
    ++stats_.evicted;
  }
  entries_.push_front(std::move(made));
  by_digest_.emplace(entries_.front().digest, entries_.begin());
  stats_.bytes += bytes;
  ++stats_.entries;
  ++stats_.stored;
}

void MemoryResultCache::erase(Entries::iterator entry) {
  stats_.bytes -= cost(*entry);
  --stats_.entries;
  by_digest_.erase(entry->digest);
  entries_.erase(entry);
}

void MemoryResultCache::set_lifetime(std::chrono::milliseconds lifetime) {
  const std::lock_guard lock(mutex_);
  lifetime_ = lifetime;
}

ResultCacheStats MemoryResultCache::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

}  // namespace premise
