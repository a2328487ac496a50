// Sockets with memory of their own: a core that reads the other socket's memory gets a half to two
// thirds of the bandwidth, and decoding is bandwidth.
#include "base/units.h"
#include "machine/facts/words.h"
#include "machine/probe.h"

namespace premise {
namespace {

/// "Node 0 MemTotal:       16384 kB" in bytes.
std::uint64_t memory_of(MachineSource& machine, int node) {
  const FileAnswer file =
      machine.read_file("/sys/devices/system/node/node" + std::to_string(node) + "/meminfo");
  for (const std::string_view line : lines_of(file.text)) {
    const auto words = words_of(line);
    if (words.size() != 5 || words[2] != "MemTotal:") continue;
    const auto kilobytes = whole_number(words[3]);
    if (kilobytes && *kilobytes > 0 && *kilobytes < INT64_MAX / 1024)
      return static_cast<std::uint64_t>(*kilobytes) * 1024;
  }
  return 0;
}

void probe_cpu_numa(MachineSource& machine, Findings& findings) {
  constexpr const char* id = "cpu.numa";
  const auto line = read_line(machine, "/sys/devices/system/node/online");
  const auto nodes = line ? number_list(*line) : std::nullopt;
  if (!nodes || nodes->size() <= 1) {
    findings.push_back(ok(
        id, std::int64_t{1},
        text({"one NUMA node: all memory is equally near", "一个 NUMA 节点：所有内存距离相同"})));
    return;
  }
  std::vector<std::string> sizes;
  bool without_memory = false;
  for (const int node : *nodes) {
    const std::uint64_t bytes = memory_of(machine, node);
    without_memory = without_memory || bytes == 0;
    sizes.push_back(format_bytes(bytes));
  }
  const auto count = static_cast<std::int64_t>(nodes->size());
  const std::string all = joined(sizes, " + ");
  if (without_memory) {
    findings.push_back(warning(
        id, count,
        text({"{} NUMA nodes, one of them without memory ({}): its cores read everything from afar",
              "{} 个 NUMA 节点，其中有节点没有内存（{}）：该节点的核心只能远程读取"},
             count, all),
        text({"fill the memory channels of that socket; until then: numactl --cpunodebind=0 "
              "premise …",
              "为该插槽装满内存通道；在此之前：numactl --cpunodebind=0 premise …"})));
    return;
  }
  findings.push_back(
      info(id, count, text({"{} NUMA nodes ({})", "{} 个 NUMA 节点（{}）"}, count, all),
           text({"to spread the weights over all of them: numactl --interleave=all premise …",
                 "让权重均匀分布在各节点：numactl --interleave=all premise …"})));
}

}  // namespace

extern const Probe cpu_numa;
const Probe cpu_numa{.name = "cpu_numa", .order = 230, .run = probe_cpu_numa};

}  // namespace premise
