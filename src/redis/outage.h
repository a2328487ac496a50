// Whether something that other machines may break works at the moment, and who is to be told.
//
// A service that goes on without its Redis must say so, and must not say so for every request:
// what is told is the beginning and the end of an outage, and both together at most once a minute.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

#include "base/result.h"

namespace premise {

/// Any thread may call any member.
class Outage {
 public:
  using Clock = std::chrono::steady_clock;
  /// For the log. Called under a lock: returns soon, and calls nothing of this object.
  using Tell = std::function<void(bool works, const Text& why)>;

  explicit Outage(Tell tell, std::chrono::milliseconds quiet = std::chrono::minutes(1),
                  std::function<Clock::time_point()> clock = Clock::now)
      : tell_(std::move(tell)), quiet_(quiet), clock_(std::move(clock)) {}

  void failed(const Error& why) {
    const std::lock_guard lock(mutex_);
    ++failures_;
    failing_ = true;
    const auto now = clock_();
    if (told_ || (last_ && now - *last_ < quiet_)) return;
    told_ = true;
    last_ = now;
    if (tell_) tell_(false, why.what);
  }

  void worked() {
    const std::lock_guard lock(mutex_);
    failing_ = false;
    if (!std::exchange(told_, false)) return;
    if (tell_) tell_(true, {});
  }

  bool failing() const {
    const std::lock_guard lock(mutex_);
    return failing_;
  }
  std::uint64_t failures() const {
    const std::lock_guard lock(mutex_);
    return failures_;
  }

 private:
  Tell tell_;
  std::chrono::milliseconds quiet_;
  std::function<Clock::time_point()> clock_;
  mutable std::mutex mutex_;
  std::uint64_t failures_ = 0;
  bool failing_ = false;
  bool told_ = false;  // that it fails
  std::optional<Clock::time_point> last_;
};

}  // namespace premise
