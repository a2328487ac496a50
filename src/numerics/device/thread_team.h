// The team of threads that computes one step of a model together.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <type_traits>
#include <vector>

#include "base/result.h"

namespace premise {

/// A piece of 0 … count - 1.
struct Range {
  std::size_t first = 0;
  std::size_t last = 0;  // one past the end

  std::size_t size() const { return last - first; }
  bool empty() const { return first == last; }
  bool operator==(const Range&) const = default;
};

/// Piece `index` of `parts` equal pieces of `count` items, cut in units of `unit` items (a packed
/// layout's rows, a cache line's floats): sizes differ by at most one unit, the earlier pieces are
/// the larger ones, and only the last piece that is not empty may end inside a unit.
Range split(std::size_t count, int parts, int index, std::size_t unit = 1);

/// Shares out uneven tasks: each call of next() takes the next `chunk` of them. Any thread.
class WorkCounter {
 public:
  /// Before the region, or between two barriers of it by one thread.
  void reset(std::size_t count, std::size_t chunk = 1);
  /// The next tasks; empty when none is left.
  Range next();

 private:
  alignas(64) std::atomic<std::size_t> next_{0};
  std::size_t count_ = 0;
  std::size_t chunk_ = 1;
};

/// Shares out even tasks that are best done by neighbours: a thread takes chunks of a piece of its
/// own, in order, and at the end helps the others with theirs, so that one that lost its processor
/// for a while holds nobody up. Made for a number of threads; any of them at any time.
class WorkShares {
 public:
  explicit WorkShares(int threads) : shares_(static_cast<std::size_t>(threads)) {}
  /// Before the region, or between two barriers of it by one thread. Pieces and chunks are whole
  /// units but for the last; a chunk is about an eighth of a piece.
  void reset(std::size_t count, std::size_t unit);
  /// The next tasks for a thread; empty when none is left.
  Range next(int thread);

 private:
  struct alignas(64) Share {
    std::atomic<std::size_t> next{0};
    std::size_t last = 0;
  };
  std::vector<Share> shares_;
  std::size_t chunk_ = 1;
};

enum class Pinning { none, one_core_each };

/// `size()` threads that run one function side by side: the caller is thread 0, the others belong
/// to the team. Waiting threads spin for a moment, where the machine has a processor for each, and
/// then sleep; a waiting team of any size costs nothing.
///
/// One thread at a time may call run(), and none from inside a region (asserted). The function must
/// not throw: an exception that leaves it ends the program (std::terminate), since the other
/// threads would wait at the next barrier for ever.
class ThreadTeam {
 public:
  /// Starts `threads - 1` workers. Where the kernel refuses one the team stays smaller, and size()
  /// says so; create() turns that into an error.
  explicit ThreadTeam(int threads, Pinning pinning = Pinning::none);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  /// A team of exactly `threads` (1 … 1024), or an Error.
  static Result<std::unique_ptr<ThreadTeam>> create(int threads, Pinning pinning = Pinning::none);

  int size() const { return size_; }

  /// Calls fn(thread_index) once on every thread and returns when all have returned. What the
  /// caller wrote before is visible inside, what the threads wrote is visible after.
  template <typename Fn>
  void run(Fn&& fn) {
    using Callable = std::remove_reference_t<Fn>;
    run_region([](void* context, int index) noexcept { (*static_cast<Callable*>(context))(index); },
               const_cast<void*>(static_cast<const void*>(std::addressof(fn))));
  }

  /// Inside a region: returns when every thread of the team has called it equally often. All that
  /// was written before it, by any thread, is visible after it. Every thread must call it.
  void barrier();

 private:
  using Region = void (*)(void* context, int index) noexcept;

  void run_region(Region region, void* context);
  void work(int index);
  bool arrive();
  int after_waiting_in_vain(int spins);

  /// A counter that threads wait on: it only ever moves forward (and wraps).
  struct alignas(64) Generation {
    std::atomic<std::uint32_t> value{0};
    std::atomic<std::uint32_t> sleepers{0};

    void advance();
    /// Returns once the value is no longer `seen`: true where `spins` looks were enough.
    bool wait_past(std::uint32_t seen, int spins);
  };

  int size_ = 1;
  int most_spins_ = 0;         // of a waiting thread before it sleeps
  std::atomic<int> spins_{0};  // the same, as experience has it
  std::atomic<std::uint32_t> in_vain_{0};
  Region region_ = nullptr;
  void* context_ = nullptr;
  bool stop_ = false;
  std::atomic<bool> inside_{false};
  Generation regions_;   // moves when a region starts
  Generation barriers_;  // moves when the last thread arrives
  alignas(64) std::atomic<std::uint32_t> arrived_{0};
  std::vector<std::thread> workers_;
};

}  // namespace premise
