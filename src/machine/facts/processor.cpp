#include "machine/facts/processor.h"

#include <algorithm>
#include <map>
#include <optional>

#include "machine/facts/words.h"

namespace premise {
namespace {

int small_number(std::string_view text) {
  const auto value = whole_number(text);
  return value && *value >= 0 && *value < 1 << 20 ? static_cast<int>(*value) : -1;
}

/// "Cpus_allowed_list:\t0-1" of this process.
std::optional<std::vector<int>> allowed_cpus(MachineSource& machine) {
  const FileAnswer status = machine.read_file("/proc/self/status");
  constexpr std::string_view key = "Cpus_allowed_list:";
  for (const std::string_view line : lines_of(status.text))
    if (line.starts_with(key)) return number_list(line.substr(key.size()));
  return std::nullopt;
}

/// The text that names a physical core: the list of its hyperthreads.
std::string core_of(MachineSource& machine, int cpu) {
  const std::string folder = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/";
  for (const char* file : {"core_cpus_list", "thread_siblings_list"})
    if (auto line = read_line(machine, folder + file)) return *line;
  return std::to_string(cpu);
}

}  // namespace

std::vector<int> online_processors(MachineSource& machine) {
  if (const auto line = read_line(machine, "/sys/devices/system/cpu/online"))
    if (auto list = number_list(*line); list && !list->empty()) return *list;
  // Without sysfs: /proc/cpuinfo has a block for each.
  std::vector<int> found;
  const FileAnswer info = machine.read_file("/proc/cpuinfo", std::size_t{8} << 20);
  for (const std::string_view line : lines_of(info.text))
    if (line.starts_with("processor\t")) found.push_back(static_cast<int>(found.size()));
  return found;
}

Processor read_processor(MachineSource& machine) {
  Processor processor;
  const FileAnswer info = machine.read_file("/proc/cpuinfo");
  for (const std::string_view line : lines_of(info.text)) {
    const std::size_t colon = line.find(':');
    if (trimmed(line).empty() && !processor.flags.empty()) break;  // the first processor's end
    if (colon == std::string_view::npos) continue;
    const std::string_view key = trimmed(line.substr(0, colon));
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (key == "vendor_id") processor.vendor = value;
    if (key == "model name") processor.name = value;
    if (key == "cpu family") processor.family = small_number(value);
    if (key == "model") processor.model = small_number(value);
    if (key == "stepping") processor.stepping = small_number(value);
    if (key == "flags")
      for (const std::string_view flag : words_of(value)) processor.flags.emplace(flag);
  }
  return processor;
}

ProcessorCount count_processors(MachineSource& machine) {
  const std::vector<int> online = online_processors(machine);
  const auto allowed = allowed_cpus(machine);
  std::set<std::string> cores;
  std::set<std::string> open_cores;
  std::set<std::int64_t> sockets;
  ProcessorCount count;
  for (const int cpu : online) {
    const std::string core = core_of(machine, cpu);
    cores.insert(core);
    sockets.insert(read_number(machine, "/sys/devices/system/cpu/cpu" + std::to_string(cpu) +
                                            "/topology/physical_package_id")
                       .value_or(0));
    const bool open =
        !allowed || std::find(allowed->begin(), allowed->end(), cpu) != allowed->end();
    if (!open) continue;
    open_cores.insert(core);
    ++count.open_threads;
  }
  count.threads = static_cast<int>(online.size());
  count.cores = static_cast<int>(cores.size());
  count.sockets = static_cast<int>(sockets.size());
  count.open_cores = static_cast<int>(open_cores.size());
  return count;
}

}  // namespace premise
