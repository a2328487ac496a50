// Random numbers that are the same on every machine.
//
// xoshiro256++ (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021), its
// state filled by SplitMix64 as its authors advise. The distributions of <random> are left to each
// standard library and would give other texts elsewhere; they are not used.
#pragma once

#include <array>
#include <cstdint>

namespace premise {

/// Equal seeds give equal sequences. One thread at a time.
class Random {
 public:
  using State = std::array<std::uint64_t, 4>;

  explicit Random(std::uint64_t seed);
  /// `state` is not all zero.
  explicit Random(const State& state);

  std::uint64_t bits();
  /// Uniform in [0, 1): multiples of 2^-53.
  double uniform();

 private:
  State state_;
};

/// The next output of SplitMix64 (Steele, Lea and Flood, 2014); moves `state` on.
std::uint64_t split_mix(std::uint64_t& state);

}  // namespace premise
