// Lines out of a stream of bytes, gathered over as many pieces as they come in. A line ends in CR
// LF and in nothing else, and holds no control character but tabs: a lone LF, which RFC 9112 (2.2)
// would let pass, is what one parser takes for the end of a field and the next one does not.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace premise {

class LineReader {
 public:
  enum class Outcome { more, line, bad_byte, too_long };

  /// Takes bytes off the front of `bytes` up to the end of a line. `limit` is of the line's bytes
  /// without its ending. After `line`, line() holds until the next call, which begins a new one.
  Outcome feed(std::string_view& bytes, std::size_t limit);

  std::string_view line() const { return line_; }
  /// True when nothing of a line has come yet.
  bool at_start() const { return complete_ || (line_.empty() && !return_seen_); }
  void reset();

 private:
  std::string line_;
  bool return_seen_ = false;
  bool complete_ = false;
};

}  // namespace premise
