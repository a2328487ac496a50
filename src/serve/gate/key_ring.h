// The keys of a running server, in memory: a request is checked without touching the disk.
//
// A thread looks twice a second whether `premise keys` has changed anything: first at SQLite's
// data_version (shared memory), then at the generation of the keys (audit lines move data_version
// too), and only then reads the keys anew. So a revoked key stops working within a second. The
// alternative, a query for every request, would put SQLite's lock into every request's path.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>

#include "serve/gate/key_store.h"

namespace premise {

/// Why a secret was not taken. What is told to the client may say less.
enum class KeyRefusal { none, unknown, expired, unavailable };

struct KeyAnswer {
  std::shared_ptr<const ApiKey> key;  // null where refused
  KeyRefusal refusal = KeyRefusal::none;
};

/// Safe for any number of threads. Denies everybody (unavailable) once the database could not be
/// asked for ten seconds: a key that was revoked meanwhile must not go on working.
class KeyRing {
 public:
  using Clock = std::function<std::int64_t()>;  // seconds since 1970, for expiry and last use

  /// `watch`: with the thread that follows changes; without it the caller calls refresh().
  static Result<std::unique_ptr<KeyRing>> open(const std::filesystem::path& path, Clock clock,
                                               bool watch = true);
  ~KeyRing();  // writes the last uses
  KeyRing(const KeyRing&) = delete;
  KeyRing& operator=(const KeyRing&) = delete;

  /// Never blocks on the disk. The time it takes tells nothing of the stored secrets.
  KeyAnswer find(std::string_view secret);

  /// The name of a key that is in the ring or ever was, so that what runs for a key that was
  /// revoked meanwhile can be accounted for; empty for others. Never blocks on the disk.
  std::string name_of(std::int64_t id) const;

  /// Reads what has changed; for tests and the watching thread.
  Status refresh();

  /// Writes the last uses that are not on disk yet; the watching thread does it once a minute.
  Status write_last_uses();

 private:
  struct Entry {
    std::string hash;
    std::shared_ptr<const ApiKey> key;
    std::atomic<std::int64_t> last_used{0};
    std::int64_t written = 0;  // last_used as it is on disk; under store_mutex_
  };
  // By the hash of the secret: what a guess can learn from the time of a lookup is about SHA-256 of
  // that guess, which it cannot steer. The full hash is then compared in constant time.
  using Table = std::unordered_map<std::string, std::shared_ptr<Entry>>;

  KeyRing(KeyStore store, Clock clock) : store_(std::move(store)), clock_(std::move(clock)) {}
  Status read_changes();
  void watch();
  std::shared_ptr<const Table> table() const;

  std::mutex store_mutex_;  // the connection and what follows
  KeyStore store_;
  std::int64_t data_version_ = -1;
  std::int64_t generation_ = -1;

  mutable std::mutex table_mutex_;  // held for the copy of a pointer or a name
  std::shared_ptr<const Table> table_;
  std::unordered_map<std::int64_t, std::string> names_;  // ids are never given twice

  Clock clock_;
  std::atomic<std::int64_t> read_at_ms_{0};  // steady clock
  std::mutex stop_mutex_;
  std::condition_variable stop_changed_;
  bool stop_ = false;
  std::thread watcher_;
};

}  // namespace premise
