// Finding bytes in bytes in linear time: std::string::find takes quadratic time on text made for
// it, and both text and pattern may come from outside. glibc's memmem is two-way string matching
// (Crochemore and Perrin 1991).
#pragma once

#include <cstring>
#include <string_view>

namespace premise {

/// The first place at or behind `from`, or npos. UTF-8 within UTF-8 is found at characters only.
inline std::size_t find_bytes(std::string_view text, std::string_view part, std::size_t from) {
  if (from > text.size()) return text.npos;
  if (part.empty()) return from;
  const void* found = ::memmem(text.data() + from, text.size() - from, part.data(), part.size());
  return found ? static_cast<std::size_t>(static_cast<const char*>(found) - text.data())
               : text.npos;
}

}  // namespace premise
