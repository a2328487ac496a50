// NVLink between cards. Tensor parallelism sends activations between cards twice a layer; over PCIe
// it is ten times slower. Cards are joined in pairs by a bridge, or all with all through
// NVSwitches, which want a service of their own: without it every CUDA call ends with error 802,
// "system not yet initialized".
#include <set>

#include "machine/compatibility/cards.h"
#include "machine/facts/words.h"
#include "machine/gpu/gpus.h"
#include "machine/probe.h"

namespace premise {
namespace {

std::size_t links(const NvmlGpu& gpu, bool active) {
  std::size_t count = 0;
  for (const NvmlLink& link : gpu.links) count += link.active == active ? 1 : 0;
  return count;
}

bool uses_switch(const NvmlGpu& gpu) {
  for (const NvmlLink& link : gpu.links) {
    if (link.active && link.peer == NvmlLink::Peer::nvswitch) return true;
  }
  return false;
}

// "0-1, 2-3": which cards are joined directly.
std::string pairs(const std::vector<NumberedGpu>& cards) {
  std::set<std::pair<std::size_t, std::size_t>> joined;
  for (const NumberedGpu& a : cards) {
    for (const NvmlLink& link : a.gpu->links) {
      if (!link.active || link.peer_bus_id.empty()) continue;
      for (const NumberedGpu& b : cards) {
        if (b.index > a.index && b.gpu->bus_id == link.peer_bus_id)
          joined.insert({a.index, b.index});
      }
    }
  }
  std::string list;
  for (const auto& [a, b] : joined) list += fmt::format("{}{}-{}", list.empty() ? "" : ", ", a, b);
  return list;
}

bool could_be_joined(const std::vector<NumberedGpu>& cards) {
  for (const NumberedGpu& card : cards) {
    const Card* sheet = find_card(builtin_cards(), card.gpu->name.value_or(""));
    if (!sheet || sheet->nvlink_bytes_per_second == 0) return false;
  }
  return true;
}

Finding nvlink(const Gpus& gpus, const std::vector<NumberedGpu>& cards) {
  constexpr const char* id = "gpu.nvlink";
  const auto linked = cards_where(gpus, [](const NvmlGpu& gpu) { return links(gpu, true) > 0; });
  if (linked.empty()) {
    return could_be_joined(cards)
               ? info(id, false,
                      text({"the GPUs could be joined by NVLink and are not: they talk over PCIe",
                            "这些 GPU 支持 NVLink 但未连接：卡间通信走 PCIe"}))
               : info(id, false,
                      text({"no NVLink: the GPUs talk over PCIe", "没有 NVLink：卡间通信走 PCIe"}));
  }
  const auto down = cards_where(
      gpus, [](const NvmlGpu& gpu) { return links(gpu, true) > 0 && links(gpu, false) > 0; });
  if (!down.empty()) {
    const Text which = numbers_of(down);
    return warning(id, true,
                   {which.en + ": some NVLinks are down", which.zh + "：部分 NVLink 未连通"},
                   text({"seat the bridge again, then: nvidia-smi nvlink --status",
                         "重新插紧桥接器，然后执行：nvidia-smi nvlink --status"}));
  }
  if (uses_switch(*linked.front().gpu)) {
    return ok(id, true,
              text({"{} GPUs joined all with all through NVSwitch", "{} 块 GPU 经 NVSwitch 全互联"},
                   linked.size()));
  }
  const std::string list = pairs(cards);
  return ok(id, true,
            list.empty() ? text({"NVLink is up", "NVLink 已连通"})
                         : text({"NVLink joins GPUs {}", "NVLink 连接 GPU {}"}, list));
}

void fabric_manager(MachineSource& machine, const std::vector<NumberedGpu>& cards,
                    Findings& findings) {
  constexpr const char* id = "gpu.fabric_manager";
  if (!uses_switch(*cards.front().gpu)) return;
  const CommandAnswer answer =
      machine.run_command({"systemctl", "is-active", "nvidia-fabricmanager"});
  const std::string state(trimmed(answer.out));
  if (answer.state != CommandState::exited || state.empty()) {
    findings.push_back(info(id, {},
                            text({"whether NVSwitch's service runs could not be asked",
                                  "无法查询 NVSwitch 的服务是否在运行"})));
  } else if (state == "active") {
    findings.push_back(ok(id, true,
                          text({"NVSwitch's service (nvidia-fabricmanager) runs",
                                "NVSwitch 的服务（nvidia-fabricmanager）正在运行"})));
  } else {
    findings.push_back(
        failure(id, false,
                text({"NVSwitch's service (nvidia-fabricmanager) is {}: CUDA ends with error 802, "
                      "\"system not yet initialized\"",
                      "NVSwitch 的服务（nvidia-fabricmanager）状态为 {}：CUDA 会报错 802 "
                      "\"system not yet initialized\""},
                     state),
                command_line("sudo systemctl enable --now nvidia-fabricmanager")));
  }
}

void probe_gpu_nvlink(MachineSource& machine, Findings& findings) {
  const Gpus gpus = read_gpus(machine);
  const std::vector<NumberedGpu> cards = working_cards(gpus);
  if (cards.size() < 2) return;
  findings.push_back(nvlink(gpus, cards));
  fabric_manager(machine, cards, findings);
}

}  // namespace

extern const Probe gpu_nvlink;
const Probe gpu_nvlink{"gpu_nvlink", 510, probe_gpu_nvlink};

}  // namespace premise
