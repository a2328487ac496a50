// What one rendering may cost. Templates come with model files, and model files are hostile until
// proven otherwise: a loop of a hundred thousand inside another, a string that doubles forty times,
// a macro that calls itself.
#pragma once

#include <cstddef>
#include <cstdint>

#include "model/chat/failure.h"

namespace premise {

/// The defaults are some hundred times what published templates need for long conversations.
struct TemplateLimits {
  std::uint64_t steps = 20'000'000;        // nodes evaluated, elements and bytes visited / 64
  std::size_t memory_bytes = 512u << 20;   // made during one rendering, freed or not
  std::size_t output_bytes = 64u << 20;    // of the rendered text
  int depth = 800;                         // nested nodes and calls being evaluated
  static constexpr int value_depth = 200;  // lists within lists
  static constexpr std::uint64_t value_weight = 1u << 26;  // Extent::weight of one value
  static constexpr std::int64_t range = 100'000;  // elements of range(), as jinja2's sandbox
};

/// Counts down; throws TemplateFailure when something is used up.
class Budget {
 public:
  explicit Budget(const TemplateLimits& limits) : limits_(limits) {}

  void step(std::uint64_t count = 1) {
    if (count > limits_.steps - steps_)
      fail({"stopped after {} steps of evaluation", "求值超过 {} 步，已停止"}, limits_.steps);
    steps_ += count;
  }
  /// Reading `bytes` (a comparison, a search).
  void read(std::size_t bytes) { step(1 + bytes / 64); }
  /// Before `bytes` are allocated.
  void take(std::size_t bytes) {
    if (bytes > limits_.memory_bytes - memory_)
      fail({"would use more than {} bytes of memory", "内存使用将超过 {} 字节"},
           limits_.memory_bytes);
    memory_ += bytes;
    step(1 + bytes / 64);
  }
  void enter() {
    if (++depth_ > limits_.depth)
      fail({"nested or recursive beyond {} levels", "嵌套或递归超过 {} 层"}, limits_.depth);
  }
  void leave() { --depth_; }
  const TemplateLimits& limits() const { return limits_; }

 private:
  TemplateLimits limits_;
  std::uint64_t steps_ = 0;
  std::size_t memory_ = 0;
  int depth_ = 0;
};

/// One level of evaluation.
class Level {
 public:
  explicit Level(Budget& budget) : budget_(budget) { budget.enter(); }
  ~Level() { budget_.leave(); }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;

 private:
  Budget& budget_;
};

}  // namespace premise
