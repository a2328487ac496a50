// The rate is an exponential average over some seconds: a figure since the beginning would hide
// that a transfer has stalled, and one of the last instant would jump. Progress of work that was
// resumed counts from where it went on.
#include "cli/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/units.h"
#include "cli/help.h"

namespace premise {
namespace {

using std::chrono::duration;
using std::chrono::steady_clock;

constexpr duration<double> terminal_interval{0.1};
constexpr duration<double> log_interval{10};
constexpr duration<double> sample_interval{0.5};
constexpr double rate_memory_seconds = 4;
constexpr std::uint64_t log_steps = 10;  // a line every tenth part, where that comes earlier
constexpr std::size_t default_columns = 80;
constexpr std::size_t bar_columns_max = 30;
constexpr std::size_t bar_columns_min = 8;

std::size_t terminal_columns(std::FILE* stream) {
  winsize size{};
  if (::ioctl(::fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return default_columns;
  return size.ws_col;
}

std::string time_left(const ProgressState& state, Language language) {
  if (state.per_second <= 0 || state.total <= state.done) return {};
  const double seconds =
      std::ceil(static_cast<double>(state.total - state.done) / state.per_second);
  const Text duration = format_duration(seconds);
  return language == Language::chinese ? fmt::format("剩余 {}", duration.zh)
                                       : fmt::format("{} left", duration.en);
}

Text stage_label(WorkStage stage) {
  switch (stage) {
    case WorkStage::downloading:
      return text({"downloading", "下载中"});
    case WorkStage::joining:
      return text({"joining", "合并中"});
    case WorkStage::copying:
      return text({"copying", "复制中"});
    case WorkStage::checking:
      return text({"checking", "校验中"});
  }
  return {};
}

std::string quantity(ProgressUnit unit, std::uint64_t value) {
  return unit == ProgressUnit::bytes ? format_bytes(value) : std::to_string(value);
}

std::string rate(ProgressUnit unit, double per_second) {
  return unit == ProgressUnit::bytes
             ? format_byte_rate(per_second)
             : fmt::format("{:.{}f}/s", per_second, per_second < 10 ? 1 : 0);
}

std::string bar(double share, std::size_t columns) {
  const auto filled = static_cast<std::size_t>(share * static_cast<double>(columns));
  return "[" + std::string(filled, '#') + std::string(columns - filled, '.') + "]";
}

}  // namespace

std::string progress_line(const ProgressState& state, Language language, std::size_t columns) {
  const double share =
      state.total == 0
          ? 0
          : std::min(1.0, static_cast<double>(state.done) / static_cast<double>(state.total));
  const auto percent = static_cast<int>(share * 100);
  std::string line = state.label.in(language);
  if (state.total != 0) line += fmt::format(" {:3}%", percent);
  const std::size_t bar_place = line.size();

  std::vector<std::string> parts;
  const std::string done = quantity(state.unit, state.done);
  parts.push_back(state.total == 0 ? done : done + " / " + quantity(state.unit, state.total));
  if (state.per_second > 0) parts.push_back(rate(state.unit, state.per_second));
  if (std::string left = time_left(state, language); !left.empty()) parts.push_back(left);
  for (const std::string& part : parts) {
    if (display_width(line) + 2 + display_width(part) <= columns) line += "  " + part;
  }
  // As wide as the terminal alone allows: it would dance if it took what the figures leave.
  const std::size_t room = std::clamp(columns / 4, bar_columns_min, bar_columns_max);
  if (state.total != 0 && display_width(line) + room + 3 <= columns) {
    line.insert(bar_place, " " + bar(share, room));
  }
  return line;
}

ProgressBar::ProgressBar(Console& console, Text label, ProgressUnit unit, Clock clock)
    : console_(console),
      clock_(std::move(clock)),
      state_{.label = std::move(label), .unit = unit, .done = 0, .total = 0, .per_second = 0} {}

void ProgressBar::relabel(const Text& label) {
  if (label.en == state_.label.en) return;
  finish();
  state_.label = label;
}

void ProgressBar::begin(std::uint64_t done, TimePoint now) {
  state_.per_second = 0;
  state_.total = 0;
  running_ = true;
  sample_done_ = drawn_done_ = done;
  sample_time_ = drawn_time_ = now;
}

void ProgressBar::measure(std::uint64_t done, TimePoint now) {
  const double seconds = duration<double>(now - sample_time_).count();
  if (done < sample_done_) {  // begun again: a server that does not resume
    sample_done_ = done;
    sample_time_ = now;
  }
  if (seconds < sample_interval.count()) return;
  const double rate = static_cast<double>(done - sample_done_) / seconds;
  const double weight = state_.per_second == 0 ? 1 : 1 - std::exp(-seconds / rate_memory_seconds);
  state_.per_second += weight * (rate - state_.per_second);
  sample_done_ = done;
  sample_time_ = now;
}

bool ProgressBar::is_due(TimePoint now) const {
  const bool complete = state_.total != 0 && state_.done >= state_.total;
  if (console_.err_is_terminal())
    return !drawn_ || complete || now - drawn_time_ >= terminal_interval;
  const std::uint64_t step = state_.total / log_steps;
  const bool far = step != 0 && state_.done >= drawn_done_ + step;
  return complete || now - drawn_time_ >= log_interval ||
         (far && now - drawn_time_ >= sample_interval);
}

void ProgressBar::update(std::uint64_t done, std::uint64_t total) {
  const TimePoint now = clock_();
  const bool was_complete = state_.total != 0 && state_.done >= state_.total;
  if (!running_) {
    begin(done, now);
  } else if (was_complete && done >= total) {
    return;  // and said so
  }
  measure(done, now);
  state_.done = done;
  state_.total = total;
  if (is_due(now)) draw(now);
}

void ProgressBar::draw(TimePoint now) {
  std::FILE* err = console_.err();
  if (console_.err_is_terminal()) {
    // One column stays free: some terminals wrap as soon as the last one is filled.
    const std::string line = progress_line(state_, console_.language(), terminal_columns(err) - 1);
    fmt::print(err, "\r{}\x1b[K", line);
  } else {
    fmt::print(err, "{}\n", progress_line(state_, console_.language(), default_columns));
  }
  std::fflush(err);
  drawn_ = true;
  drawn_done_ = state_.done;
  drawn_time_ = now;
}

void ProgressBar::finish() {
  if (drawn_ && console_.err_is_terminal()) {
    draw(drawn_time_);
    fmt::print(console_.err(), "\n");
    std::fflush(console_.err());
  }
  running_ = drawn_ = false;
}

WorkHooks console_hooks(Console& console, ProgressBar& bar) {
  return {.progress =
              [&bar](WorkStage stage, std::uint64_t done, std::uint64_t total) {
                bar.relabel(stage_label(stage));
                bar.update(done, total);
              },
          .notice =
              [&console, &bar](const Text& text) {
                bar.finish();
                console.say(text);
              },
          .stopped = [&console] { return console.interrupt().requested(); }};
}

}  // namespace premise
