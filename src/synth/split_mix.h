// Numbers that are the same on every machine: integers and exact sums only, nothing of libm, whose
// last bit differs between versions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace premise {

/// splitmix64 (Steele, Lea and Flood 2014).
class SplitMix64 {
 public:
  explicit SplitMix64(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }

  /// 0 … count - 1, for counts below 2^32. The bias is count / 2^32.
  std::size_t below(std::size_t count) { return (next() >> 32) * count >> 32; }

  /// Nearly normal, mean 0, deviation 1, at most 6 in magnitude: the sum of twelve uniform ones of
  /// sixteen bits, each of deviation 2^16 / sqrt(12).
  float normal() {
    std::int32_t sum = -6 * 65535;
    for (int i = 0; i < 3; ++i)
      for (std::uint64_t bits = next(), part = 0; part < 4; ++part, bits >>= 16)
        sum += static_cast<std::int32_t>(bits & 0xFFFF);
    return static_cast<float>(sum) / 65536.0f;
  }

 private:
  std::uint64_t state_;
};

}  // namespace premise
