// Sums of products of sizes that came from a user or a file. Any of them may be absurd, and an
// overflow that goes unnoticed would plan a petabyte into a few kilobytes.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace premise {

class ByteCount {
 public:
  /// Adds a · b · c · d.
  void add(std::uint64_t a, std::uint64_t b = 1, std::uint64_t c = 1, std::uint64_t d = 1) {
    for (const std::uint64_t factor : {b, c, d})
      overflowed_ |= __builtin_mul_overflow(a, factor, &a);
    overflowed_ |= __builtin_add_overflow(total_, a, &total_);
  }

  /// Error (usage) past 2^60 bytes, which no machine has.
  Result<std::uint64_t> total(const Text& what) const {
    constexpr std::uint64_t most = std::uint64_t{1} << 60;
    if (!overflowed_ && total_ <= most) return total_;
    return at(what, error(ErrorCode::usage, {"more than an exbibyte (2^60 bytes) of memory",
                                             "所需内存超过 1 EiB（2^60 字节）"}))
        .with_hint(text(
            {"use a smaller context or fewer requests at a time", "请减小上下文长度或并发数"}));
  }

 private:
  std::uint64_t total_ = 0;
  bool overflowed_ = false;
};

}  // namespace premise
