// How much memory this process may still take without swapping, and how much at most.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace premise {

/// The smaller of what the system has available (MemAvailable: free memory and what the page cache
/// can give back) and what the process's control group (v1 or v2) leaves of its limit; nothing
/// where neither can be read. `root` stands in for "/" in tests.
std::optional<std::uint64_t> available_memory_bytes(const std::filesystem::path& root = "/");

/// Memory that this process could use at most: that of the machine (MemTotal), cut to the limits of
/// the process's control groups, v1 or v2; nothing where /proc says nothing. `root` stands in for
/// "/" in tests.
std::optional<std::uint64_t> usable_memory_bytes(const std::filesystem::path& root = "/");

}  // namespace premise
