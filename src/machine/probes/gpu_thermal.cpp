// Heat: clocks held back by it at this moment, or a card near the point where they will be.
#include "machine/gpu/gpus.h"
#include "machine/gpu/nvml_abi.h"
#include "machine/probe.h"

namespace premise {
namespace {

constexpr std::int64_t margin_celsius = 5;

bool is_throttled(const NvmlGpu& gpu) {
  constexpr auto heat = nvml::reason_thermal_software | nvml::reason_thermal_hardware;
  return (gpu.throttle_reasons.value_or(0) & heat) != 0;
}

bool is_near(const NvmlGpu& gpu) {
  return gpu.temperature_celsius && gpu.slowdown_celsius && *gpu.slowdown_celsius > 0 &&
         *gpu.temperature_celsius >= *gpu.slowdown_celsius - margin_celsius;
}

std::optional<std::int64_t> hottest(const std::vector<NumberedGpu>& cards) {
  std::optional<std::int64_t> most;
  for (const auto& [index, gpu] : cards) {
    if (gpu->temperature_celsius && (!most || *gpu->temperature_celsius > *most)) {
      most = gpu->temperature_celsius;
    }
  }
  return most;
}

Finding thermal(const Gpus& gpus) {
  constexpr const char* id = "gpu.thermal";
  const auto throttled = cards_where(gpus, is_throttled);
  const auto near = cards_where(gpus, is_near);
  const auto& in_trouble = throttled.empty() ? near : throttled;
  const auto most = hottest(in_trouble.empty() ? working_cards(gpus) : in_trouble);
  if (!most) {
    return info(id, {}, text({"the driver does not say the temperature", "驱动未给出温度"}));
  }
  if (in_trouble.empty()) return ok(id, *most, text({"at most {} °C", "最高 {} °C"}, *most));
  const Text which = numbers_of(in_trouble);
  const Text what =
      throttled.empty()
          ? text({": {} °C, near the point where clocks are lowered", "：{} °C，接近降频温度"},
                 *most)
          : text({": thermal throttling at {} °C: clocks are held back by heat",
                  "：{} °C，正因过热降频（thermal throttling）"},
                 *most);
  return warning(id, *most, {which.en + what.en, which.zh + what.zh},
                 text({"clean filters and fans, leave a slot free between cards; then watch: "
                       "nvidia-smi dmon -s pct",
                       "清理滤网与风扇，卡间留出空槽；然后观察：nvidia-smi dmon -s pct"}));
}

void probe_gpu_thermal(MachineSource& machine, Findings& findings) {
  const Gpus gpus = read_gpus(machine);
  if (!working_cards(gpus).empty()) findings.push_back(thermal(gpus));
}

}  // namespace

extern const Probe gpu_thermal;
const Probe gpu_thermal{"gpu_thermal", 530, probe_gpu_thermal};

}  // namespace premise
