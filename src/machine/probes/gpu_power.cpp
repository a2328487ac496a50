// Power: a limit below what the card is made for, clocks held back for want of power, and the
// supply that the machine should have. No sensor says what supply is built in; the rule can only be
// told.
#include <algorithm>
#include <cmath>

#include "machine/compatibility/cards.h"
#include "machine/gpu/gpus.h"
#include "machine/gpu/nvml_abi.h"
#include "machine/probe.h"

namespace premise {
namespace {

constexpr double large_card_watts = 300;
constexpr double supply_of_large_card = 850;
constexpr double rest_of_machine_watts = 250;  // processor, disks, fans of a workstation
constexpr double headroom = 1.25;  // cards exceed their limit for milliseconds; a supply ages

bool is_capped(const NvmlGpu& gpu) {
  return gpu.power_limit_watts && gpu.power_default_watts &&
         *gpu.power_limit_watts < *gpu.power_default_watts * 0.97;
}

bool is_braked(const NvmlGpu& gpu) {
  return (gpu.throttle_reasons.value_or(0) & nvml::reason_power_brake) != 0;
}

double made_for(const NvmlGpu& gpu) {
  if (gpu.power_default_watts) return *gpu.power_default_watts;
  const Card* sheet = find_card(builtin_cards(), gpu.name.value_or(""));
  return sheet ? sheet->board_watts : 0;
}

Finding limit(const Gpus& gpus) {
  constexpr const char* id = "gpu.power";
  if (const auto braked = cards_where(gpus, is_braked); !braked.empty()) {
    const Text which = numbers_of(braked);
    return warning(id, false,
                   {which.en + ": the server brakes the clocks for want of power",
                    which.zh + "：因供电不足，服务器正在降低其频率"},
                   text({"check the power supplies: nvidia-smi -q -d PERFORMANCE,POWER",
                         "检查电源：nvidia-smi -q -d PERFORMANCE,POWER"}));
  }
  if (const auto capped = cards_where(gpus, is_capped); !capped.empty()) {
    const NvmlGpu& first = *capped.front().gpu;
    const Text which = numbers_of(capped);
    const Text how = text(
        {": power capped at {:.0f} W of {:.0f} W", "：功率上限被设为 {:.0f} W（默认 {:.0f} W）"},
        *first.power_limit_watts, *first.power_default_watts);
    return warning(id, *first.power_limit_watts, {which.en + how.en, which.zh + how.zh},
                   command_line(fmt::format("sudo nvidia-smi -i {} -pl {:.0f}",
                                            number_list_of(capped), *first.power_default_watts)));
  }
  const auto cards = working_cards(gpus);
  const auto known = cards.front().gpu->power_limit_watts;
  if (!known) {
    return info(id, {}, text({"the driver does not say the power limit", "驱动未给出功率上限"}));
  }
  return ok(
      id, *known,
      text({"power limit {:.0f} W, what the card is made for", "功率上限 {:.0f} W，与出厂默认一致"},
           *known));
}

Finding supply(const std::vector<NumberedGpu>& cards) {
  double together = 0, largest = 0, advised = 0;
  for (const auto& [index, gpu] : cards) {
    const Card* sheet = find_card(builtin_cards(), gpu->name.value_or(""));
    together += made_for(*gpu);
    largest = std::max(largest, made_for(*gpu));
    advised = std::max(advised, sheet ? sheet->supply_watts.value_or(0) : 0);
  }
  if (largest >= large_card_watts) advised = std::max(advised, supply_of_large_card);
  if (cards.size() > 1 || advised == 0) {
    const double needed = together * headroom + rest_of_machine_watts;
    advised = std::max(advised, std::ceil(needed / 50) * 50);
  }
  return info("gpu.supply", advised,
              text({"the cards take up to {:.0f} W: a supply of at least {:.0f} W is advised "
                    "(it cannot be read, look at its label)",
                    "显卡最高耗电 {:.0f} W：建议电源不小于 {:.0f} W（无法读取，请查看电源标签）"},
                   together, advised));
}

void probe_gpu_power(MachineSource& machine, Findings& findings) {
  const Gpus gpus = read_gpus(machine);
  const std::vector<NumberedGpu> cards = working_cards(gpus);
  if (cards.empty()) return;
  findings.push_back(limit(gpus));
  if (made_for(*cards.front().gpu) > 0) findings.push_back(supply(cards));
}

}  // namespace

extern const Probe gpu_power;
const Probe gpu_power{"gpu_power", 520, probe_gpu_power};

}  // namespace premise
