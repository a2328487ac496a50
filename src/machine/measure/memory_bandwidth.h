// How fast memory is read, by the number of threads that read it: the roof of decoding, where every
// token reads every weight once.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/result.h"
#include "machine/measure/measured.h"
#include "machine/source.h"

namespace premise {

/// Reads memory with 1, 2, 4, … and `threads` threads, each for about `seconds`. The memory is
/// several times the `cache_bytes` of the last cache, but at most a quarter of what is available;
/// error no_resources where that is too little to tell. `stop` is asked between two counts.
Result<std::vector<ThreadRate>> measure_memory_read(int threads, std::uint64_t cache_bytes,
                                                    double seconds,
                                                    const std::function<bool()>& stop);

/// Bytes of all last-level caches, from /sys; 0 where it does not say.
std::uint64_t last_cache_bytes(MachineSource& machine);

}  // namespace premise
