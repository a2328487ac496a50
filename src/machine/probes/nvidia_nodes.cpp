// The device nodes through which programs reach a loaded driver. The kernel does not make them:
// nvidia-modprobe does, when the first program of the system that may asks for them. nvidia-smi
// needs no nvidia-uvm, CUDA does, which is why "nvidia-smi works and CUDA does not".
#include <algorithm>

#include "machine/facts/virtualization.h"
#include "machine/gpu/gpus.h"
#include "machine/probe.h"

namespace premise {
namespace {

bool contains(const FolderAnswer& folder, std::string_view name) {
  return std::ranges::find(folder.names, name) != folder.names.end();
}

// /dev/nvidia0, /dev/nvidia1, …
std::size_t card_nodes(const FolderAnswer& folder) {
  std::size_t count = 0;
  while (contains(folder, "nvidia" + std::to_string(count))) ++count;
  return count;
}

Finding nodes(const FolderAnswer& folder, const Gpus& gpus) {
  constexpr const char* id = "nvidia.nodes";
  const std::size_t cards = gpus.report.gpus.size();
  if (!contains(folder, "nvidia-uvm")) {
    return failure(
        id, false,
        text({"/dev/nvidia-uvm is missing: nvidia-smi works, every CUDA program ends with "
              "\"unknown error\" or finds no GPU",
              "缺少 /dev/nvidia-uvm：nvidia-smi 可用，但 CUDA 程序会报 \"unknown error\" 或找不到 "
              "GPU"}),
        command_line("sudo nvidia-modprobe -u -c=0"));
  }
  const std::size_t there = card_nodes(folder);
  if (!contains(folder, "nvidiactl") || there < cards) {
    return failure(
        id, false,
        text({"device nodes for {} of {} GPUs", "{}/{} 块 GPU 有设备节点"}, there, cards),
        command_line(fmt::format("sudo nvidia-modprobe -c={}", there)));
  }
  return ok(id, true,
            text({"device nodes are there, nvidia-uvm too", "设备节点齐全，包括 nvidia-uvm"}));
}

void probe_nvidia_nodes(MachineSource& machine, Findings& findings) {
  const Gpus gpus = read_gpus(machine);
  // Under WSL2 the way is /dev/dxg; in a container nvidia.container judges.
  if (!gpus.driver_works() || gpus.report.gpus.empty() || wsl_version(machine) != 0) return;
  const FolderAnswer folder = machine.list_folder("/dev");
  if (folder) findings.push_back(nodes(folder, gpus));
}

}  // namespace

extern const Probe nvidia_nodes;
const Probe nvidia_nodes{"nvidia_nodes", 604, probe_nvidia_nodes};

}  // namespace premise
