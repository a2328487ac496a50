// Text that remembers, byte for byte, who wrote it.
//
// A chat template may spell control tokens; what users write must never become one. Escaping user
// text beforehand would change what the model reads, and comparing afterwards cannot tell the two
// apart; so every string of the interpreter carries a mark through concatenation, slices, filters
// and methods. Marks are stored as the offsets where they change: most strings have one origin and
// pay for an empty vector.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace premise {

/// UTF-8 bytes with a mark for each: trusted (the template's own) or not (data). Not thread-safe
/// for writing, like std::string.
class MarkedString {
 public:
  MarkedString() = default;
  MarkedString(std::string bytes, bool trusted) : bytes_(std::move(bytes)), first_(trusted) {}

  const std::string& bytes() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  bool trusted_at(std::size_t offset) const;
  /// Whether no byte is data.
  bool all_trusted() const { return empty() || (first_ && flips_.empty()); }

  void reserve(std::size_t bytes) { bytes_.reserve(bytes); }
  void append(std::string_view bytes, bool trusted);
  void append(const MarkedString& other) { append(other, 0, other.size()); }
  /// Bytes [begin, end) of another string, with their marks.
  void append(const MarkedString& other, std::size_t begin, std::size_t end);
  MarkedString part(std::size_t begin, std::size_t end) const;

  /// Calls visit(bytes, trusted) for each run of one mark within [begin, end).
  template <typename Visit>
  void visit_runs(std::size_t begin, std::size_t end, Visit visit) const {
    auto flip = std::upper_bound(flips_.begin(), flips_.end(), begin);
    bool trusted = first_ != ((flip - flips_.begin()) % 2 == 1);
    while (begin < end) {
      const std::size_t stop = flip == flips_.end() ? end : std::min(end, *flip++);
      visit(std::string_view(bytes_).substr(begin, stop - begin), trusted);
      begin = stop;
      trusted = !trusted;
    }
  }

 private:
  std::string bytes_;
  bool first_ = true;               // the mark of byte 0
  std::vector<std::size_t> flips_;  // ascending offsets, each in (0, size), where the mark changes
};

}  // namespace premise
