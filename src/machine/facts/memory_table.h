// The tables of /proc that state memory.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "machine/source.h"

namespace premise {

/// /proc/meminfo in bytes: "MemTotal" → 25276502016. Lines without a unit are left out.
using MemoryTable = std::map<std::string, std::uint64_t, std::less<>>;

MemoryTable read_memory_table(MachineSource& machine);

/// The soft limit of this process by its name in /proc/self/limits ("Max open files").
struct ProcessLimit {
  bool unlimited = false;
  std::uint64_t value = 0;  // where limited
};
std::optional<ProcessLimit> read_limit(MachineSource& machine, std::string_view name);

}  // namespace premise
