// What control groups grant this process: the narrowest limit of its own group and of every group
// above it, in version 2 or 1 of the interface. A container sees its own group as "/".
#pragma once

#include <cstdint>
#include <optional>

#include "machine/source.h"

namespace premise {

struct ControlGroup {
  int version = 0;                            // of the memory controller's hierarchy; 0: none found
  std::optional<double> quota_cores;          // processors' time; 1.5 is one and a half
  std::optional<std::uint64_t> memory_bytes;  // the limit
  std::optional<std::uint64_t> memory_used_bytes;   // of the group with that limit, cache included
  std::optional<std::uint64_t> memory_cache_bytes;  // of that, what can be given back
  std::uint64_t out_of_memory_kills = 0;            // since the group exists
  std::uint64_t periods = 0;  // of the quota, and those in which it was used up
  std::uint64_t throttled_periods = 0;
};

ControlGroup read_control_group(MachineSource& machine);

/// Threads worth computing with: cores open to the process, cut to the quota; at least 1.
int threads_within(int open_cores, const std::optional<double>& quota_cores);

}  // namespace premise
