// How many processors this process may really use.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

namespace premise {

/// The processors open to this process, and the limits on them.
struct CpuSet {
  std::vector<int> cpus;     // numbers of the affinity mask, ascending; never empty
  std::vector<int> leaders;  // of those, the first of each physical core, ascending
  int quota_cores = 0;       // whole processors' time granted by control groups; 0: no limit

  /// Processors that can run at the same time: the mask, cut to the quota; at least 1.
  int usable_cpus() const;
  /// Physical cores that can run at the same time; at least 1. Two hyperthreads share one core's
  /// arithmetic units and its path to memory, so this is the number of threads worth computing
  /// with.
  int usable_cores() const;
};

/// What the kernel says of this process now.
CpuSet read_cpus();

/// The same from a recorded machine: `root` stands in for "/" (its proc/self/cgroup,
/// proc/self/mountinfo and sys/ are read), `affinity` for the mask. A missing file is no limit,
/// and a processor without topology is a core of its own.
CpuSet read_cpus(const std::filesystem::path& root, std::span<const int> affinity);

/// usable_cores() of this process: the number of compute threads unless somebody asked for another.
int default_thread_count();

}  // namespace premise
