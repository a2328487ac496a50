// Answers that have not ended: they use the service, which must not go before them.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>

namespace premise {

class InFlight {
 public:
  /// Counts as long as it, or a copy of it, lives.
  std::shared_ptr<void> ticket() {
    const std::lock_guard lock(mutex_);
    ++count_;
    return {static_cast<void*>(nullptr), [this](void*) { leave(); }};
  }
  void wait_for_none() {
    std::unique_lock lock(mutex_);
    none_.wait(lock, [&] { return count_ == 0; });
  }

 private:
  void leave() {
    const std::lock_guard lock(mutex_);
    if (--count_ == 0) none_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable none_;
  std::size_t count_ = 0;
};

}  // namespace premise
