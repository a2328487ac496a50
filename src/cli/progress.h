// How far long work has come, on standard error: one line that is drawn again and again on a
// terminal; in a pipe or log file a line now and then.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "cli/console.h"
#include "store/work.h"

namespace premise {

enum class ProgressUnit { bytes, count };

/// What is shown of work at one moment; the arithmetic and the layout, without clock or terminal.
struct ProgressState {
  Text label;
  ProgressUnit unit = ProgressUnit::bytes;
  std::uint64_t done = 0;
  std::uint64_t total = 0;  // 0: unknown
  double per_second = 0;    // 0: not known yet
};

/// One line of at most `columns` columns, without a line break. Parts that do not fit are left out,
/// the bar first; label and percentage stay longest.
std::string progress_line(const ProgressState& state, Language language, std::size_t columns);

/// Fed by (done, total), from one thread. Finishes its line on destruction, so that what is said
/// next begins on a line of its own.
class ProgressBar {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;

  explicit ProgressBar(Console& console, Text label = {}, ProgressUnit unit = ProgressUnit::count,
                       Clock clock = std::chrono::steady_clock::now);
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar() { finish(); }

  /// `total` 0: unknown.
  void update(std::uint64_t done, std::uint64_t total);

  /// Another kind of work begins: unless it has this label already, the line ends and the rate is
  /// measured anew.
  void relabel(const Text& label);

  /// Ends the line, if one was drawn; the next update() begins a new one.
  void finish();

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  void begin(std::uint64_t done, TimePoint now);
  void measure(std::uint64_t done, TimePoint now);
  bool is_due(TimePoint now) const;
  void draw(TimePoint now);

  Console& console_;
  Clock clock_;
  ProgressState state_;
  bool running_ = false;
  bool drawn_ = false;
  std::uint64_t sample_done_ = 0;
  TimePoint sample_time_;
  std::uint64_t drawn_done_ = 0;
  TimePoint drawn_time_;
};

/// Hooks that show work on `bar`, say notices on `console`, and stop at Ctrl-C. Borrows both.
WorkHooks console_hooks(Console& console, ProgressBar& bar);

}  // namespace premise
