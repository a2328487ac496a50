// Files and their meaning: Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst of
// Linux, sched-bwc.rst for cpu.cfs_*. numerics/device/cpu.cpp reads the quota too, from the live
// machine and as whole processors, since it counts threads; here every file goes through the
// machine's seam and the limit is shown as it was set.
#include "machine/facts/control_group.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "machine/facts/words.h"

namespace premise {
namespace {

/// Where a hierarchy is mounted, and which group its mount shows at its top.
struct Hierarchy {
  bool v2;
  std::string mount;
  std::string top;
  std::string group;  // ours in it
};

bool lists(std::string_view options, std::string_view wanted) {
  const auto pieces = pieces_of(options, ',');
  return std::find(pieces.begin(), pieces.end(), wanted) != pieces.end();
}

/// "0::/user.slice" for v2, "4:cpu,cpuacct:/docker/abc" for v1's controllers.
std::optional<std::string> group_of(std::string_view table, bool v2, std::string_view controller) {
  for (const std::string_view line : lines_of(table)) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    if (v2 ? controllers.empty() : lists(controllers, controller))
      return std::string(line.substr(second + 1));
  }
  return std::nullopt;
}

/// 36 35 98:0 /group /sys/fs/cgroup rw,noatime shared:1 - cgroup2 cgroup rw
std::vector<Hierarchy> hierarchies(MachineSource& machine, std::string_view controller) {
  std::vector<Hierarchy> found;
  const FileAnswer mounts = machine.read_file("/proc/self/mountinfo");
  const FileAnswer groups = machine.read_file("/proc/self/cgroup");
  for (const std::string_view line : lines_of(mounts.text)) {
    const auto words = words_of(line);
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (dash - words.begin() < 6 || words.end() - dash < 4) continue;
    const bool v2 = dash[1] == "cgroup2";
    if (!v2 && (dash[1] != "cgroup" || !lists(dash[3], controller))) continue;
    if (auto group = group_of(groups.text, v2, controller))
      found.push_back({v2, std::string(words[4]), std::string(words[3]), std::move(*group)});
  }
  return found;
}

/// The folders of our group and of those above it, from the top down. Where the mount shows only a
/// part of the tree, or our path lies outside of it ("/../.."), the top is the best known group.
std::vector<std::string> chain(const Hierarchy& hierarchy) {
  std::string_view below = hierarchy.group;
  if (hierarchy.top != "/") {
    const bool inside = below.starts_with(hierarchy.top);
    below = inside ? below.substr(hierarchy.top.size()) : std::string_view();
  }
  std::vector<std::string> folders{hierarchy.mount};
  if (below.find("..") != std::string_view::npos) return folders;
  for (const std::string_view part : pieces_of(below, '/'))
    if (!part.empty()) folders.push_back(folders.back() + "/" + std::string(part));
  return folders;
}

/// A line "key value" of a flat table such as memory.events.
std::optional<std::int64_t> entry_of(std::string_view table, std::string_view key) {
  for (const std::string_view line : lines_of(table)) {
    const auto words = words_of(line);
    if (words.size() == 2 && words[0] == key) return whole_number(words[1]);
  }
  return std::nullopt;
}

std::uint64_t count_in(MachineSource& machine, const std::string& file, std::string_view key) {
  const std::int64_t value = entry_of(machine.read_file(file).text, key).value_or(0);
  return value > 0 ? static_cast<std::uint64_t>(value) : 0;
}

std::optional<double> quota_of(MachineSource& machine, const std::string& folder, bool v2) {
  std::optional<std::int64_t> quota;
  std::optional<std::int64_t> period;
  if (v2) {
    const std::string line = read_line(machine, folder + "/cpu.max").value_or("");
    const auto words = words_of(line);
    if (words.size() != 2) return std::nullopt;
    quota = whole_number(words[0]);  // "max" is no number: no limit
    period = whole_number(words[1]);
  } else {
    quota = read_number(machine, folder + "/cpu.cfs_quota_us");  // -1: no limit
    period = read_number(machine, folder + "/cpu.cfs_period_us");
  }
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

void read_processor_time(MachineSource& machine, ControlGroup& found) {
  for (const Hierarchy& hierarchy : hierarchies(machine, "cpu")) {
    for (const std::string& folder : chain(hierarchy)) {
      const auto quota = quota_of(machine, folder, hierarchy.v2);
      if (!quota || (found.quota_cores && *found.quota_cores <= *quota)) continue;
      found.quota_cores = quota;
      found.periods = count_in(machine, folder + "/cpu.stat", "nr_periods");
      found.throttled_periods = count_in(machine, folder + "/cpu.stat", "nr_throttled");
    }
  }
}

void read_memory(MachineSource& machine, ControlGroup& found) {
  // v1 has no word for "no limit" but its largest multiple of a page.
  constexpr std::int64_t unlimited = std::int64_t{1} << 60;
  for (const Hierarchy& hierarchy : hierarchies(machine, "memory")) {
    const bool v2 = hierarchy.v2;
    if (found.version == 0) found.version = v2 ? 2 : 1;
    const std::vector<std::string> folders = chain(hierarchy);
    found.out_of_memory_kills = count_in(
        machine, folders.back() + (v2 ? "/memory.events" : "/memory.oom_control"), "oom_kill");
    for (const std::string& folder : folders) {
      const auto limit =
          read_number(machine, folder + (v2 ? "/memory.max" : "/memory.limit_in_bytes"));
      if (!limit || *limit <= 0 || *limit >= unlimited) continue;
      if (found.memory_bytes && *found.memory_bytes <= static_cast<std::uint64_t>(*limit)) continue;
      found.memory_bytes = static_cast<std::uint64_t>(*limit);
      const auto used =
          read_number(machine, folder + (v2 ? "/memory.current" : "/memory.usage_in_bytes"));
      found.memory_used_bytes =
          used && *used >= 0 ? std::optional(static_cast<std::uint64_t>(*used)) : std::nullopt;
      found.memory_cache_bytes =
          count_in(machine, folder + "/memory.stat", v2 ? "inactive_file" : "total_inactive_file");
    }
  }
}

}  // namespace

ControlGroup read_control_group(MachineSource& machine) {
  ControlGroup found;
  read_processor_time(machine, found);
  read_memory(machine, found);
  return found;
}

int threads_within(int open_cores, const std::optional<double>& quota_cores) {
  const double quota = quota_cores ? std::floor(*quota_cores) : open_cores;
  return std::max(1, static_cast<int>(std::min<double>(open_cores, quota)));
}

}  // namespace premise
