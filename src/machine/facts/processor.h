// The processor as Linux describes it.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "machine/source.h"

namespace premise {

struct Processor {
  std::string vendor;  // "GenuineIntel"; empty where /proc/cpuinfo does not say
  std::string name;    // "Intel(R) Xeon(R) Platinum 8480+"
  int family = -1;
  int model = -1;
  int stepping = -1;
  std::set<std::string, std::less<>> flags;

  bool has(std::string_view flag) const { return flags.contains(flag); }
  bool virtualized() const { return has("hypervisor"); }
};

Processor read_processor(MachineSource& machine);

/// Their numbers; empty where neither /sys nor /proc/cpuinfo lists them.
std::vector<int> online_processors(MachineSource& machine);

struct ProcessorCount {
  int sockets = 0;
  int cores = 0;         // physical, of the whole machine
  int threads = 0;       // logical, of the whole machine
  int open_cores = 0;    // physical, in the affinity mask of this process
  int open_threads = 0;  // logical, likewise
};

/// Counted from /sys/devices/system/cpu and /proc/self/status; 0 where nothing can be read.
ProcessorCount count_processors(MachineSource& machine);

}  // namespace premise
