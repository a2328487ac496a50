// The caches of the processor, as sysfs lists them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "machine/source.h"

namespace premise {

/// All caches of one level and kind.
struct CacheLevel {
  std::string name;               // "L1d", "L1i", "L2"
  std::int64_t bytes = 0;         // of all of them together
  std::int64_t largest_bytes = 0; // of the largest one
  int count = 0;
};

/// In the order of their names; those of a hybrid processor's different cores are added up. Empty
/// where the kernel does not tell.
std::vector<CacheLevel> read_caches(MachineSource& machine);

}  // namespace premise
