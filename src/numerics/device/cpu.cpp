// Counting usable processors.
//
// std::thread::hardware_concurrency() knows the affinity mask but neither hyperthreads nor the
// quota of a container: with `docker run --cpus 2` on a machine of 64 it says 64, and 64 threads
// share two processors' time, most of them asleep at every barrier. So three sources are joined:
//   mask    sched_getaffinity(2)
//   quota   cpu.max (cgroup v2) or cpu.cfs_quota_us / cpu.cfs_period_us (v1) of our group and of
//           every group above it, rounded down: a thread too many is throttled with all the others
//           waiting for it (Documentation/scheduler/sched-bwc.rst of Linux)
//   cores   topology/core_cpus_list, in older kernels thread_siblings_list: equal text, one core
// Where the group hierarchies are mounted stands in /proc/self/mountinfo (proc_pid_mountinfo(5)).
#include "numerics/device/cpu.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

namespace premise {
namespace {

namespace fs = std::filesystem;

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

bool lists(std::string_view comma_separated, std::string_view wanted) {
  while (true) {
    const std::size_t comma = comma_separated.find(',');
    if (comma_separated.substr(0, comma) == wanted) return true;
    if (comma == std::string_view::npos) return false;
    comma_separated.remove_prefix(comma + 1);
  }
}

/// A mounted hierarchy that may limit processors.
struct Hierarchy {
  bool v2;
  fs::path mount;  // where, relative to the root
  fs::path group;  // the group that the mount shows at its top: "/", or a container's own
};

std::vector<Hierarchy> mounted_hierarchies(const fs::path& root) {
  // 36 35 98:0 /group /sys/fs/cgroup rw,noatime shared:1 - cgroup2 cgroup rw
  std::vector<Hierarchy> found;
  std::ifstream file(root / "proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> words = words_of(line);
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (dash - words.begin() < 6 || words.end() - dash < 4) continue;
    const bool v2 = dash[1] == "cgroup2";
    if (!v2 && (dash[1] != "cgroup" || !lists(dash[3], "cpu"))) continue;
    found.push_back({v2, fs::path(words[4]).relative_path(), fs::path(words[3])});
  }
  return found;
}

/// The path of our group in the v2 hierarchy, or in the v1 hierarchy of the controller `cpu`.
std::optional<fs::path> group_of_process(const fs::path& root, bool v2) {
  // 0::/user.slice          4:cpu,cpuacct:/docker/abc
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string_view controllers(line.data() + first + 1, second - first - 1);
    if (v2 ? controllers.empty() : lists(controllers, "cpu")) return line.substr(second + 1);
  }
  return std::nullopt;
}

/// Whole processors of one group's own limit; nothing where it sets none.
std::optional<std::int64_t> quota_of_group(const fs::path& folder, bool v2) {
  std::optional<std::int64_t> quota;
  std::optional<std::int64_t> period;
  if (v2) {
    const std::vector<std::string> words = words_of(first_line(folder / "cpu.max"));
    if (words.size() != 2) return std::nullopt;
    quota = number(words[0]);  // "max" is no number: no limit
    period = number(words[1]);
  } else {
    quota = number(first_line(folder / "cpu.cfs_quota_us"));  // -1: no limit
    period = number(first_line(folder / "cpu.cfs_period_us"));
  }
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  return std::max<std::int64_t>(1, *quota / *period);
}

/// The narrowest quota between our group and the top of every hierarchy; 0 where there is none.
int read_quota_cores(const fs::path& root) {
  std::int64_t narrowest = 0;
  for (const Hierarchy& hierarchy : mounted_hierarchies(root)) {
    const std::optional<fs::path> group = group_of_process(root, hierarchy.v2);
    if (!group) continue;
    // Inside a container the mount may show only our own subtree, or the path may lie above it
    // ("/../.."): then the top of the mount is the best known group.
    fs::path below = group->lexically_relative(hierarchy.group);
    if (below.empty() || *below.begin() == "..") below = ".";
    const fs::path top = root / hierarchy.mount;
    fs::path folder = top;
    std::vector<fs::path> chain{folder};
    for (const fs::path& part : below) {
      if (part != ".") chain.push_back(folder /= part);
    }
    for (const fs::path& step : chain) {
      const std::optional<std::int64_t> quota = quota_of_group(step, hierarchy.v2);
      if (quota && (narrowest == 0 || *quota < narrowest)) narrowest = *quota;
    }
  }
  return static_cast<int>(std::min<std::int64_t>(narrowest, 1 << 20));
}

/// The text that names a core: the list of its hyperthreads.
std::string core_key(const fs::path& root, int cpu) {
  const fs::path folder =
      root / "sys/devices/system/cpu" / ("cpu" + std::to_string(cpu)) / "topology";
  for (const char* file : {"core_cpus_list", "thread_siblings_list"}) {
    std::string line = first_line(folder / file);
    if (!line.empty()) return line;
  }
  return "cpu" + std::to_string(cpu);
}

std::vector<int> affinity_of_process() {
  // The kernel refuses a mask shorter than its own, whose size it does not tell: grow until it
  // fits.
  for (int capacity = 1024; capacity <= 1 << 20; capacity *= 2) {
    cpu_set_t* mask = CPU_ALLOC(capacity);
    if (mask == nullptr) break;
    const std::size_t bytes = CPU_ALLOC_SIZE(capacity);
    CPU_ZERO_S(bytes, mask);
    const bool read = sched_getaffinity(0, bytes, mask) == 0;
    const bool too_short = !read && errno == EINVAL;
    std::vector<int> cpus;
    for (int cpu = 0; read && cpu < capacity; ++cpu) {
      if (CPU_ISSET_S(cpu, bytes, mask)) cpus.push_back(cpu);
    }
    CPU_FREE(mask);
    if (read) return cpus;
    if (!too_short) break;
  }
  return {};
}

int at_most_quota(std::size_t count, int quota) {
  const int number = std::max(1, static_cast<int>(count));
  return quota > 0 ? std::min(number, quota) : number;
}

}  // namespace

int CpuSet::usable_cpus() const { return at_most_quota(cpus.size(), quota_cores); }
int CpuSet::usable_cores() const { return at_most_quota(leaders.size(), quota_cores); }

CpuSet read_cpus(const fs::path& root, std::span<const int> affinity) {
  CpuSet set;
  set.cpus.assign(affinity.begin(), affinity.end());
  if (set.cpus.empty()) set.cpus.push_back(0);  // we run somewhere
  std::sort(set.cpus.begin(), set.cpus.end());
  std::set<std::string> seen;
  for (int cpu : set.cpus) {
    if (seen.insert(core_key(root, cpu)).second) set.leaders.push_back(cpu);
  }
  set.quota_cores = read_quota_cores(root);
  return set;
}

CpuSet read_cpus() { return read_cpus("/", affinity_of_process()); }

int default_thread_count() { return read_cpus().usable_cores(); }

}  // namespace premise
