#include "numerics/device/available_memory.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string>
#include <string_view>

namespace premise {
namespace {

namespace fs = std::filesystem;

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end == text.data()) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> read_number(const fs::path& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return parse_number(word);  // "max" is no number: no limit
}

// One line of /proc/meminfo: "MemTotal:", "MemAvailable:".
std::optional<std::uint64_t> system_memory(const fs::path& root, std::string_view wanted) {
  std::ifstream file(root / "proc/meminfo");
  for (std::string key, value, unit; file >> key >> value && std::getline(file, unit);)
    if (key == wanted) {
      const auto kilobytes = parse_number(value);
      std::uint64_t bytes = 0;
      if (!kilobytes || __builtin_mul_overflow(*kilobytes, std::uint64_t{1024}, &bytes))
        return std::nullopt;
      return bytes;
    }
  return std::nullopt;
}

// What one control group leaves: its limit less its use, page cache that can be dropped not
// counted.
std::optional<std::uint64_t> group_left(const fs::path& limit_file, const fs::path& use_file,
                                        const fs::path& stat_file, std::string_view cache_key) {
  const auto limit = read_number(limit_file);
  const auto use = read_number(use_file);
  if (!limit || !use) return std::nullopt;
  std::uint64_t cache = 0;
  std::ifstream stat(stat_file);
  for (std::string key, value; stat >> key >> value;)
    if (key == cache_key) cache = parse_number(value).value_or(0);
  const std::uint64_t held = *use - std::min(*use, cache);
  return *limit - std::min(*limit, held);
}

// Calls visit(folder, whether v2) for the memory group of this process and every group above it:
// each may set a limit.
template <typename Visit>
void visit_memory_groups(const fs::path& root, Visit visit) {
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    // "0::/user.slice" (v2) or "9:memory:/docker/…" (v1)
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool v2 = controllers.empty();
    if (!v2 && controllers.find("memory") == std::string::npos) continue;
    const fs::path top = root / (v2 ? "sys/fs/cgroup" : "sys/fs/cgroup/memory");
    fs::path group = fs::path(line.substr(second + 1)).relative_path().lexically_normal();
    for (;; group = group.parent_path()) {
      visit(top / group, v2);
      if (group.empty()) break;
    }
  }
}

void lower(std::optional<std::uint64_t>& least, std::optional<std::uint64_t> bytes) {
  if (bytes) least = least ? std::min(*least, *bytes) : *bytes;
}

}  // namespace

std::optional<std::uint64_t> available_memory_bytes(const fs::path& root) {
  std::optional<std::uint64_t> least = system_memory(root, "MemAvailable:");
  visit_memory_groups(root, [&](const fs::path& dir, bool v2) {
    lower(least, v2 ? group_left(dir / "memory.max", dir / "memory.current", dir / "memory.stat",
                                 "inactive_file")
                    : group_left(dir / "memory.limit_in_bytes", dir / "memory.usage_in_bytes",
                                 dir / "memory.stat", "total_inactive_file"));
  });
  return least;
}

std::optional<std::uint64_t> usable_memory_bytes(const fs::path& root) {
  std::optional<std::uint64_t> least = system_memory(root, "MemTotal:");
  visit_memory_groups(root, [&](const fs::path& dir, bool v2) {
    const auto limit = read_number(dir / (v2 ? "memory.max" : "memory.limit_in_bytes"));
    if (limit != std::uint64_t{0}) lower(least, limit);
  });
  return least;
}

}  // namespace premise
