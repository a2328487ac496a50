// What was asked and used, on the disk before the client hears that its answer is complete.
//
// A commit costs a sync of the disk, a millisecond or ten. One for every answer, on the threads
// that compute or send, would bound the whole service by the disk. So a thread of its own takes
// everything that waits, commits it in one transaction, and then lets each answer go on: the busier
// the server, the more lines share a sync. The alternative, lines in memory and a write now and
// then, loses what was answered for when the process is killed.
//
// What cannot be written is told, never dropped silently: the answer's callback gets the error and
// the client a failure instead of an end; lines that nobody waits for (refusals) are counted, and
// as soon as the disk takes lines again, a line of the log says how many are missing and why.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "serve/gate/audit_log.h"

namespace premise {

struct LedgerOptions {
  std::size_t waiting_max = 65'536;               // entries
  std::size_t waiting_bytes_max = 128u << 20;     // of their texts
  std::chrono::milliseconds busy_timeout{5'000};  // for another process's transaction
  std::chrono::milliseconds retry_interval{1'000};
};

struct LedgerCounts {
  std::uint64_t written = 0;  // entries on the disk
  std::uint64_t lost = 0;     // entries that were refused or could not be written
  std::uint64_t commits = 0;  // transactions that `written` took
  std::size_t waiting = 0;
};

/// Safe for any number of threads. Other processes may append, prune and work with keys meanwhile.
class Ledger {
 public:
  using Clock = std::function<std::int64_t()>;  // milliseconds since 1970
  using Then = std::function<void(const Status&)>;

  static Result<std::unique_ptr<Ledger>> open(const std::filesystem::path& path, Clock clock,
                                              LedgerOptions options = {});

  /// Writes what waits, tells everybody, and ends. No thread may be in record() or come to it.
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  /// Never blocks on the disk. `then`, where there is one, is called exactly once, on the ledger's
  /// thread and never from within record(): with success when the entry and its charge are on the
  /// disk, else with what is wrong (disk full, database busy for `busy_timeout`, too many waiting),
  /// and then nothing of the entry is there. It may call record(), returns soon and does not throw.
  void record(LedgerEntry entry, Then then = nullptr);

  /// Whether everything that was recorded has been written or lost, waiting for `limit` at most.
  bool wait_for_disk(std::chrono::milliseconds limit);

  /// False from a failed commit to the next one that works: a server then refuses at once what it
  /// could not account for. The ledger tries by itself, every retry_interval.
  bool works() const;

  /// The end of the chain after the last commit of this object.
  AuditHead head() const;
  LedgerCounts counts() const;

  /// What keys used up of that day so far, on the disk; waits for a commit that is going on. For
  /// MemoryLimits::add_day_use at the start.
  Result<std::vector<DayUse>> day_use(std::int64_t day);

 private:
  struct Waiting {
    std::optional<LedgerEntry> entry;  // none: there was no room for it
    Then then;
    std::size_t bytes = 0;
  };
  struct Loss {
    std::uint64_t count = 0;
    std::int64_t since_ms = 0;
    std::string reason;
  };

  Ledger(AuditLog log, Clock clock, LedgerOptions options, AuditHead head)
      : log_(std::move(log)), clock_(std::move(clock)), options_(options), head_(std::move(head)) {}
  void work();
  void write(std::vector<Waiting> taken);
  Status commit(std::vector<Waiting>& taken, std::uint64_t noted);
  LedgerEntry loss_line(std::uint64_t count) const;     // under mutex_
  void lose(std::uint64_t count, const Error& reason);  // under mutex_

  std::mutex log_mutex_;  // taken before mutex_, never after it
  AuditLog log_;
  const Clock clock_;
  const LedgerOptions options_;

  mutable std::mutex mutex_;
  std::condition_variable changed_, written_;
  std::vector<Waiting> queue_;
  std::size_t queue_bytes_ = 0;
  std::size_t queue_entries_ = 0;
  AuditHead head_;
  LedgerCounts counts_;
  Loss loss_;  // not in the log yet
  bool failing_ = false;
  bool writing_ = false;
  bool stop_ = false;
  std::thread writer_;
};

}  // namespace premise
