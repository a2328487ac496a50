// Which bytes of a text are the program's own words, and which are somebody's data.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace premise {

/// The trusted stretches of a text, neighbours joined. Built from left to right.
class TrustedRuns {
 public:
  struct Run {
    std::size_t begin = 0, end = 0;
    bool operator==(const Run&) const = default;
  };

  /// The next `bytes` of the text.
  void append(std::size_t bytes, bool trusted) {
    if (trusted && bytes > 0) {
      if (!runs_.empty() && runs_.back().end == size_) {
        runs_.back().end += bytes;
      } else {
        runs_.push_back({size_, size_ + bytes});
      }
    }
    size_ += bytes;
  }

  std::size_t size() const { return size_; }
  const std::vector<Run>& runs() const { return runs_; }

  /// The end of the run that `at` lies in; `at` itself where that byte is data.
  std::size_t trusted_until(std::size_t at) const {
    const auto next = first_behind(at);
    return next != runs_.end() && next->begin <= at ? next->end : at;
  }

  /// Whether [begin, end) has both kinds of bytes.
  bool is_mixed(std::size_t begin, std::size_t end) const {
    const auto next = first_behind(begin);
    if (next == runs_.end() || next->begin >= end) return false;
    return next->begin > begin || next->end < end;
  }

  /// The runs of [begin, end), counted from `begin`.
  TrustedRuns part(std::size_t begin, std::size_t end) const {
    TrustedRuns made;
    for (auto run = first_behind(begin); run != runs_.end() && run->begin < end; ++run) {
      const std::size_t from = std::max(run->begin, begin);
      made.append(from - begin - made.size_, false);
      made.append(std::min(run->end, end) - from, true);
    }
    made.append(end - begin - made.size_, false);
    return made;
  }

 private:
  std::vector<Run>::const_iterator first_behind(std::size_t at) const {
    return std::upper_bound(runs_.begin(), runs_.end(), at,
                            [](std::size_t place, const Run& run) { return place < run.end; });
  }

  std::vector<Run> runs_;
  std::size_t size_ = 0;
};

}  // namespace premise
