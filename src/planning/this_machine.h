// What this machine can hold and do: limits read, rates measured in well under a second.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "base/result.h"
#include "numerics/device/isa.h"
#include "planning/capacity.h"

namespace premise {

/// Memory that this process could use at most: that of the machine (MemTotal), cut to the limits of
/// the process's control groups, v1 or v2; nothing where /proc says nothing. `root` stands in for
/// "/" in tests.
std::optional<std::uint64_t> usable_memory_bytes(const std::filesystem::path& root = "/");

/// Reads the limits, and measures with `threads` threads (0: one for each physical core) the
/// reading of memory and the multiplication kernels of `isa`. Where there is too little memory to
/// measure with, or no kernel, rates are assumed, and say so.
Result<Capacity> measure_this_machine(int threads, Isa isa);

}  // namespace premise
