#include "machine/facts/memory_table.h"

#include "machine/facts/words.h"

namespace premise {

MemoryTable read_memory_table(MachineSource& machine) {
  MemoryTable table;
  const FileAnswer file = machine.read_file("/proc/meminfo");
  for (const std::string_view line : lines_of(file.text)) {
    const auto words = words_of(line);
    if (words.size() != 3 || words[2] != "kB" || !words[0].ends_with(':')) continue;
    const auto kilobytes = whole_number(words[1]);
    if (!kilobytes || *kilobytes < 0 || *kilobytes > INT64_MAX / 1024) continue;
    table[std::string(words[0].substr(0, words[0].size() - 1))] =
        static_cast<std::uint64_t>(*kilobytes) * 1024;
  }
  return table;
}

std::optional<ProcessLimit> read_limit(MachineSource& machine, std::string_view name) {
  // Max locked memory         8388608              8388608              bytes
  const FileAnswer file = machine.read_file("/proc/self/limits");
  for (const std::string_view line : lines_of(file.text)) {
    if (!line.starts_with(name)) continue;
    const auto words = words_of(line.substr(name.size()));
    if (words.size() < 2) return std::nullopt;
    if (words[0] == "unlimited") return ProcessLimit{.unlimited = true, .value = 0};
    const auto value = whole_number(words[0]);
    if (!value || *value < 0) return std::nullopt;
    return ProcessLimit{.unlimited = false, .value = static_cast<std::uint64_t>(*value)};
  }
  return std::nullopt;
}

}  // namespace premise
