// Who holds GPU memory already, and whether the cards let new programs in at all.
#include <algorithm>

#include "machine/gpu/gpus.h"
#include "machine/probe.h"

namespace premise {
namespace {

constexpr double share_in_the_way = 0.05;  // of a card's memory, held by one process
constexpr double share_unexplained = 0.10;
constexpr std::int64_t mode_prohibited = 2;
constexpr std::int64_t mode_exclusive_process = 3;

bool is_ours(const NvmlProcess& process) { return process.name.starts_with("premise"); }

std::uint64_t held(const NvmlGpu& gpu) {
  std::uint64_t bytes = 0;
  for (const NvmlProcess& process : gpu.processes) bytes += process.memory_bytes.value_or(0);
  return bytes;
}

Finding in_the_way(const NumberedGpu& card, const NvmlProcess& process) {
  const std::string name = process.name.empty() ? "?" : process.name;
  return warning(
      "gpu.processes", static_cast<std::int64_t>(*process.memory_bytes),
      text({"GPU {}: {} (process {}) holds {} of its memory", "GPU {}：{}（进程 {}）占用显存 {}"},
           card.index, name, process.pid, format_gpu_memory(*process.memory_bytes)),
      text({"stop that program if it is not wanted: kill {}", "若不需要该程序，请停止它：kill {}"},
           process.pid));
}

Finding processes(const std::vector<NumberedGpu>& cards) {
  constexpr const char* id = "gpu.processes";
  for (const NumberedGpu& card : cards) {
    const auto total = static_cast<double>(card.gpu->memory_total_bytes.value_or(0));
    for (const NvmlProcess& process : card.gpu->processes) {
      const auto bytes = static_cast<double>(process.memory_bytes.value_or(0));
      if (total > 0 && bytes > total * share_in_the_way && !is_ours(process)) {
        return in_the_way(card, process);
      }
    }
    const std::uint64_t used = card.gpu->memory_used_bytes.value_or(0);
    const std::uint64_t known = held(*card.gpu);
    const std::uint64_t hidden = used > known ? used - known : 0;
    if (total > 0 && static_cast<double>(hidden) > total * share_unexplained) {
      return warning(id, static_cast<std::int64_t>(hidden),
                     text({"GPU {}: {} are held by programs that cannot be seen from here (another "
                           "container, or a desktop)",
                           "GPU {}：{} 显存被此处看不到的程序占用（其他容器或桌面）"},
                          card.index, format_gpu_memory(hidden)),
                     command_line(fmt::format("sudo fuser -v /dev/nvidia{}", card.index)));
    }
  }
  return ok(id, std::int64_t{0}, text({"no program is in the way", "没有程序占用显存"}));
}

Finding mode(const Gpus& gpus) {
  constexpr const char* id = "gpu.mode";
  const auto in_mode = [&](std::int64_t mode) {
    return cards_where(gpus, [mode](const NvmlGpu& gpu) { return gpu.compute_mode == mode; });
  };
  if (const auto cards = in_mode(mode_prohibited); !cards.empty()) {
    const Text which = numbers_of(cards);
    return failure(
        id, mode_prohibited,
        {which.en + ": compute mode \"prohibited\" lets no CUDA program in",
         which.zh + "：计算模式为 Prohibited，不允许任何 CUDA 程序"},
        command_line(fmt::format("sudo nvidia-smi -i {} -c DEFAULT", number_list_of(cards))));
  }
  if (const auto cards = in_mode(mode_exclusive_process); !cards.empty()) {
    const Text which = numbers_of(cards);
    return info(id, mode_exclusive_process,
                {which.en + ": exclusive mode, one CUDA program at a time",
                 which.zh + "：独占模式，同时只允许一个 CUDA 程序"});
  }
  if (!cards_where(gpus, [](const NvmlGpu& gpu) { return gpu.mig == true; }).empty()) {
    return info(
        id, {},
        text({"MIG is on: programs get a slice of a card, chosen by CUDA_VISIBLE_DEVICES=MIG-…",
              "MIG 已开启：程序只能使用一个切片，由 CUDA_VISIBLE_DEVICES=MIG-… 指定"}));
  }
  return ok(id, std::int64_t{0}, text({"open to several programs", "允许多个程序共用"}));
}

void probe_gpu_processes(MachineSource& machine, Findings& findings) {
  const Gpus gpus = read_gpus(machine);
  const std::vector<NumberedGpu> cards = working_cards(gpus);
  if (cards.empty()) return;
  findings.push_back(processes(cards));
  findings.push_back(mode(gpus));
}

}  // namespace

extern const Probe gpu_processes;
const Probe gpu_processes{"gpu_processes", 560, probe_gpu_processes};

}  // namespace premise
