// How the threads of a team wait for each other.
//
// One step of a small model holds some two hundred barriers, so a barrier must cost well under a
// microsecond; but a team that spins is poison as soon as a thread has no processor of its own: the
// spinners burn the time of the one they wait for, and 8 threads on 2 processors become a hundred
// times slower than 2. Both at once:
//   - a waiting thread spins, but only where the team has a processor for each thread, and for no
//     longer than going to sleep and being woken may cost (then waiting costs at most twice the
//     best choice, whatever the other threads do: Karlin et al., "Competitive randomized algorithms
//     for nonuniform problems", 1990). A shorter time is a trap: a thread that was asleep comes to
//     the next barrier late by its wake-up, and one that does not wait for it that long falls
//     asleep in turn, and so on. On a virtual machine of 2 processors, where a wake-up takes 30 to
//     70 us, a team that spun for 20 us never got out of it: a barrier between phases of 100 to
//     300 us took 180 us, and takes 25 us now (uneven_phases in device_bench.cpp); a server loaded
//     by 16 clients won 17 % more tokens a second.
//     How long is learnt all the same: spinning in vain at a barrier halves it, success doubles it.
//     Where other programs hold the processors, a late thread is not coming but waiting for the
//     spinner's place. Now and then the whole time is tried again, since a team that spins too
//     little cannot learn that more would do;
//   - then it sleeps in the kernel (futex(2)) on the very counter it waits for.
// Arrivals are counted in one word and the last one moves the generation forward. Trees of counters
// pay from dozens of threads on; a mutex with a condition variable costs two system calls at every
// barrier; std::atomic::wait spins for a time of its own choice and wakes through a table shared by
// the whole program.
//
// No wake-up is lost. A sleeper announces itself, then looks at the counter again (and the kernel
// once more, under its lock); who moves the counter does so first and then looks for sleepers. All
// four are sequentially consistent, so at least one of the two sees the other.
#include "numerics/device/thread_team.h"

#include <immintrin.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <climits>
#include <system_error>

#include "numerics/device/cpu.h"

namespace premise {
namespace {

constexpr int most_threads = 1024;

/// What a sleep and its wake-up may cost where the processor went idle meanwhile (see
/// device_bench.cpp); where it did not, a twentieth of that.
constexpr std::chrono::nanoseconds spin_time{100'000};
constexpr int shortest_spin_part = 50;

/// So many waits in vain, and the whole time is tried again: it adds 12 us to each of them.
constexpr std::uint32_t waits_before_retry = 8;

long futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value) {
  static_assert(sizeof word == 4 && std::atomic<std::uint32_t>::is_always_lock_free);
  return syscall(SYS_futex, &word, operation, value, nullptr, nullptr, 0);
}

/// How often to pause in `spin_time`: one pause takes 35 to 140 cycles, by processor.
int calibrated_spins() {
  using Clock = std::chrono::steady_clock;
  constexpr int pauses = 200;
  Clock::duration fastest = Clock::duration::max();
  for (int round = 0; round < 5; ++round) {  // the fastest one was not interrupted
    const Clock::time_point start = Clock::now();
    for (int i = 0; i < pauses; ++i) _mm_pause();
    fastest = std::min(fastest, Clock::now() - start);
  }
  const auto one = std::max<std::int64_t>(1, std::chrono::nanoseconds(fastest).count());
  return static_cast<int>(std::clamp<std::int64_t>(spin_time.count() * pauses / one, 10, 20'000));
}

/// Keeps a worker on one processor. Refusal is harmless: the thread runs where the kernel likes.
void pin(std::thread& thread, int cpu) {
  if (cpu >= CPU_SETSIZE) return;
  cpu_set_t mask;
  CPU_ZERO(&mask);
  CPU_SET(cpu, &mask);
  pthread_setaffinity_np(thread.native_handle(), sizeof mask, &mask);
}

}  // namespace

Range split(std::size_t count, int parts, int index, std::size_t unit) {
  assert(parts > 0 && index >= 0 && index < parts && unit > 0);
  const std::size_t units = count / unit + (count % unit != 0);
  const std::size_t each = units / parts;
  const std::size_t larger = units % parts;
  const std::size_t i = index;
  const std::size_t first = i * each + std::min(i, larger);
  const std::size_t last = first + each + (i < larger);
  // Only the very last unit can be cut short, so its end is the only product that may pass count.
  return {first == units ? count : first * unit, last == units ? count : last * unit};
}

void WorkCounter::reset(std::size_t count, std::size_t chunk) {
  assert(chunk > 0);
  count_ = count;
  chunk_ = chunk;
  next_.store(0, std::memory_order_relaxed);
}

Range WorkCounter::next() {
  // Threads that come too late do not push the counter on: it passes the count by one chunk a
  // thread at most.
  if (next_.load(std::memory_order_relaxed) >= count_) return {count_, count_};
  const std::size_t first = next_.fetch_add(chunk_, std::memory_order_relaxed);
  if (first >= count_) return {count_, count_};
  return {first, first + std::min(chunk_, count_ - first)};
}

void WorkShares::reset(std::size_t count, std::size_t unit) {
  constexpr std::size_t chunks = 8;
  const std::size_t units = (count + unit - 1) / unit;
  chunk_ = unit * std::max<std::size_t>(1, units / shares_.size() / chunks);
  for (std::size_t i = 0; i < shares_.size(); ++i) {
    const Range piece = split(count, static_cast<int>(shares_.size()), static_cast<int>(i), unit);
    shares_[i].last = piece.last;
    shares_[i].next.store(piece.first, std::memory_order_relaxed);
  }
}

Range WorkShares::next(int thread) {
  const auto own = static_cast<std::size_t>(thread);
  for (std::size_t i = 0; i < shares_.size(); ++i) {
    Share& share = shares_[(own + i) % shares_.size()];
    if (share.next.load(std::memory_order_relaxed) >= share.last) continue;
    const std::size_t first = share.next.fetch_add(chunk_, std::memory_order_relaxed);
    if (first < share.last) return {first, std::min(share.last, first + chunk_)};
  }
  return {0, 0};
}

void ThreadTeam::Generation::advance() {
  value.fetch_add(1, std::memory_order_seq_cst);
  if (sleepers.load(std::memory_order_seq_cst) > 0) futex(value, FUTEX_WAKE_PRIVATE, INT_MAX);
}

bool ThreadTeam::Generation::wait_past(std::uint32_t seen, int spins) {
  for (int i = 0; i < spins; ++i) {
    if (value.load(std::memory_order_acquire) != seen) return true;
    _mm_pause();
  }
  if (value.load(std::memory_order_acquire) != seen) return true;
  sleepers.fetch_add(1, std::memory_order_seq_cst);
  while (value.load(std::memory_order_seq_cst) == seen) {
    futex(value, FUTEX_WAIT_PRIVATE, seen);  // returns at once where the value has moved on
  }
  sleepers.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

ThreadTeam::ThreadTeam(int threads, Pinning pinning) {
  const CpuSet cpus = read_cpus();
  const int wanted = std::clamp(threads, 1, most_threads);
  workers_.reserve(wanted - 1);
  // The workers read size_ and most_spins_ in their first region, whose start comes after this.
  for (int index = 1; index < wanted; ++index) {
    try {
      workers_.emplace_back([this, index] { work(index); });
    } catch (const std::system_error&) {
      break;
    }
    // Processor 0 of the list is left to the caller, whom the team does not move.
    const std::size_t count = cpus.leaders.size();
    if (pinning == Pinning::one_core_each) pin(workers_.back(), cpus.leaders[index % count]);
  }
  size_ = static_cast<int>(workers_.size()) + 1;
  most_spins_ = size_ <= cpus.usable_cpus() ? calibrated_spins() : 0;
  spins_.store(most_spins_, std::memory_order_relaxed);
}

ThreadTeam::~ThreadTeam() {
  assert(!inside_.load());
  stop_ = true;
  regions_.advance();
  for (std::thread& worker : workers_) worker.join();
}

Result<std::unique_ptr<ThreadTeam>> ThreadTeam::create(int threads, Pinning pinning) {
  if (threads < 1 || threads > most_threads) {
    return error(ErrorCode::usage,
                 {"{} threads cannot be used: 1 to {} can", "线程数 {} 无效：允许 1 到 {}"},
                 threads, most_threads);
  }
  auto team = std::make_unique<ThreadTeam>(threads, pinning);
  if (team->size() != threads) {
    return error(ErrorCode::no_resources,
                 {"the system started only {} of {} threads", "系统只启动了 {} 个线程，需要 {} 个"},
                 team->size(), threads)
        .with_hint(text({"use fewer threads, or raise the limit on processes (ulimit -u)",
                         "请减少线程数，或提高进程数上限（ulimit -u）"}));
  }
  return team;
}

/// Counts the calling thread in; the last one opens the barrier and gets true.
bool ThreadTeam::arrive() {
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 < static_cast<std::uint32_t>(size_)) {
    return false;
  }
  arrived_.store(0, std::memory_order_relaxed);  // published by the move below
  barriers_.advance();
  return true;
}

void ThreadTeam::barrier() {
  // Read before arriving: the generation cannot move on without this thread.
  const std::uint32_t seen = barriers_.value.load(std::memory_order_relaxed);
  if (arrive()) return;
  // Threads may overwrite each other's lesson; in the steady state nobody writes.
  const int spins = spins_.load(std::memory_order_relaxed);
  const bool in_time = barriers_.wait_past(seen, spins);
  const int next = in_time ? std::min(most_spins_, 2 * spins) : after_waiting_in_vain(spins);
  if (next != spins) spins_.store(next, std::memory_order_relaxed);
}

int ThreadTeam::after_waiting_in_vain(int spins) {
  if (in_vain_.fetch_add(1, std::memory_order_relaxed) % waits_before_retry == 0)
    return most_spins_;
  return std::max(most_spins_ / shortest_spin_part, spins / 2);
}

void ThreadTeam::run_region(Region region, void* context) {
  [[maybe_unused]] const bool nested = inside_.exchange(true, std::memory_order_acquire);
  assert(!nested);
  region_ = region;
  context_ = context;
  if (size_ > 1) regions_.advance();
  region(context, 0);
  barrier();
  inside_.store(false, std::memory_order_release);
}

void ThreadTeam::work(int index) {
  for (std::uint32_t seen = 0;; ++seen) {
    regions_.wait_past(seen, spins_.load(std::memory_order_relaxed));
    if (stop_) return;
    region_(context_, index);
    // A worker does not wait at the end: it can only meet the next barrier in the next region,
    // which starts after all have arrived here.
    arrive();
  }
}

}  // namespace premise
