// Ctrl-C, as a flag that work looks at between two steps. The first one asks to stop, so that text
// is finished, blocks are freed and files are left whole; the second one ends the process at once,
// for work that does not look. A signal handler may touch nothing but lock-free atomics, hence a
// flag and no callback.
#pragma once

#include <atomic>

namespace premise {

class Interrupt {
 public:
  Interrupt() = default;
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  ~Interrupt();

  /// Makes SIGINT set this flag until this object is gone. One at a time in a process (asserted);
  /// system calls that wait return EINTR, so that a waiting read notices.
  void install();

  /// Any thread.
  bool requested() const { return requested_.load(std::memory_order_relaxed); }
  void request() { requested_.store(true, std::memory_order_relaxed); }

  /// Ready for the next one: `chat` goes on after an answer was stopped.
  void reset() { requested_.store(false, std::memory_order_relaxed); }

 private:
  std::atomic<bool> requested_{false};
  bool installed_ = false;
};

}  // namespace premise
