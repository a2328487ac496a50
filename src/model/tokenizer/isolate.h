// The loop behind every splitter, and the three whitespace rules that most patterns end with.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "model/tokenizer/char_scan.h"

namespace premise {

/// `match(text, at)` returns the length of the match that starts at `at` (`at` < size), or 0.
template <typename Match>
void isolate(std::string_view text, std::size_t origin, std::vector<std::size_t>& ends,
             Match match) {
  std::size_t at = 0, closed = 0;
  while (at < text.size()) {
    const std::size_t length = match(text, at);
    if (length == 0) {
      at += peek(text, at).bytes;
      continue;
    }
    if (closed < at) ends.push_back(origin + at);
    at += length;
    closed = at;
    ends.push_back(origin + at);
  }
  if (closed < at) ends.push_back(origin + at);
}

enum class Newlines { plain, close_a_part };

/// \s+(?!\S)|\s+, with \s*[\r\n]+ tried first under close_a_part: a run of whitespace ends after
/// its last newline, or else before its last character when a word follows, which then takes that
/// one.
inline std::size_t match_spaces(std::string_view text, std::size_t at, Newlines newlines) {
  std::size_t end = at, last = at, after_newline = at;
  for (Char c = peek(text, end); c.is(class_space); c = peek(text, end)) {
    last = end;
    end += c.bytes;
    if (is_newline(c.code)) after_newline = end;
  }
  if (newlines == Newlines::close_a_part && after_newline > at) return after_newline - at;
  return end == text.size() || last == at ? end - at : last - at;
}

}  // namespace premise
