// What long work tells its caller, and how the caller stops it.
#pragma once

#include <cstdint>
#include <functional>

#include "base/result.h"

namespace premise {

enum class WorkStage { downloading, joining, copying, checking };

/// Called on the thread that does the work. Empty functions are allowed.
struct WorkHooks {
  /// Bytes done of all bytes of this stage; `total` is 0 where nobody knows it yet.
  std::function<void(WorkStage stage, std::uint64_t done, std::uint64_t total)> progress;
  /// A line the user should read, such as "waiting for another premise".
  std::function<void(const Text& text)> notice;
  /// True once the user wants the work to end; it ends soon after, with ErrorCode::cancelled.
  std::function<bool()> stopped;

  void report(WorkStage stage, std::uint64_t done, std::uint64_t total) const {
    if (progress) progress(stage, done, total);
  }
  void say(const Text& text) const {
    if (notice) notice(text);
  }
  Status check_stopped() const {
    if (!stopped || !stopped()) return {};
    return error(ErrorCode::cancelled, {"interrupted", "已中断"});
  }
};

}  // namespace premise
