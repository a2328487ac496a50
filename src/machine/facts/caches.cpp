// Every processor lists the caches that it uses, so that one shared by eight is listed eight times:
// level, kind and the list of those who share it name a cache.
#include "machine/facts/caches.h"

#include <algorithm>
#include <map>
#include <set>

#include "machine/facts/processor.h"
#include "machine/facts/words.h"

namespace premise {
namespace {

/// "1024K", "32M", "32768" → bytes; 0 where it is none of them.
std::int64_t size_of(std::string_view text) {
  int shift = 0;
  if (!text.empty() && (text.back() == 'K' || text.back() == 'M')) {
    shift = text.back() == 'K' ? 10 : 20;
    text.remove_suffix(1);
  }
  constexpr std::int64_t absurd = std::int64_t{1} << 30;
  const auto value = whole_number(text);
  return value && *value > 0 && *value < absurd ? *value << shift : 0;
}

std::string name_of_cache(const std::string& level, const std::string& type) {
  const std::string kind = type == "Data" ? "d" : type == "Instruction" ? "i" : "";
  return "L" + level + kind;
}

}  // namespace

std::vector<CacheLevel> read_caches(MachineSource& machine) {
  std::map<std::string, CacheLevel> levels;
  std::set<std::string> seen;
  for (const int cpu : online_processors(machine)) {
    const std::string top = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/cache";
    for (const std::string& index : machine.list_folder(top).names) {
      if (!index.starts_with("index")) continue;
      const std::string folder = top + "/" + index + "/";
      const auto level = read_line(machine, folder + "level");
      const std::int64_t bytes = size_of(read_line(machine, folder + "size").value_or(""));
      if (!level || !whole_number(*level) || bytes == 0) continue;
      const std::string name =
          name_of_cache(*level, read_line(machine, folder + "type").value_or(""));
      const std::string users =
          read_line(machine, folder + "shared_cpu_list").value_or(std::to_string(cpu));
      if (!seen.insert(name + " " + users).second) continue;
      CacheLevel& all = levels[name];
      all.name = name;
      all.bytes += bytes;
      all.largest_bytes = std::max(all.largest_bytes, bytes);
      ++all.count;
    }
  }
  std::vector<CacheLevel> sorted;
  for (auto& [name, level] : levels) sorted.push_back(std::move(level));
  return sorted;
}

}  // namespace premise
