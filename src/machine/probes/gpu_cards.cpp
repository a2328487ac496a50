// Which GPUs there are, how much memory they have and how fast it is. Decoding reads every weight
// once for each token, so that memory bandwidth bounds its speed: 600 GB/s is where a 7B model in 8
// bits passes 60 tokens a second for one user.
#include <algorithm>
#include <map>

#include "base/units.h"
#include "machine/compatibility/rules.h"
#include "machine/gpu/gpus.h"
#include "machine/gpu/nvml_abi.h"
#include "machine/probe.h"

namespace premise {
namespace {

constexpr double bandwidth_recommended = 600e9;

// "2 × GeForce RTX 3090 (Ampere, 8.6)", each model once.
std::string models(const Gpus& gpus) {
  std::vector<std::pair<std::string, int>> counted;
  for (const auto& [index, gpu] : working_cards(gpus)) {
    std::string model = model_of(*gpu);
    if (gpu->capability) {
      const std::string_view family = architecture_name(builtin_matrix(), *gpu->capability);
      model += fmt::format(" ({}{}{})", family, family.empty() ? "" : ", ",
                           major_minor(*gpu->capability));
    }
    const auto known = std::ranges::find(counted, model, &std::pair<std::string, int>::first);
    if (known == counted.end()) {
      counted.emplace_back(model, 1);
    } else {
      ++known->second;
    }
  }
  std::string list;
  for (const auto& [model, count] : counted) {
    list += list.empty() ? "" : ", ";
    list += count == 1 ? model : fmt::format("{} × {}", count, model);
  }
  return list;
}

Finding cards(const Gpus& gpus) {
  constexpr const char* id = "gpu.cards";
  if (gpus.damage) {
    return warning(id, {}, gpus.damage->what,
                   text({"record the machine again: premise doctor --record DIR",
                         "请重新录制该机器：premise doctor --record DIR"}));
  }
  const auto count = static_cast<std::int64_t>(working_cards(gpus).size());
  if (count > 0) return ok(id, count, text({"{}", "{}"}, models(gpus)));
  if (!gpus.on_bus.empty()) {
    return info(id, std::int64_t{0},
                text({"{} NVIDIA GPU(s) on the PCI bus, none of them usable now",
                      "PCI 总线上有 {} 块 NVIDIA GPU，目前均不可用"},
                     gpus.on_bus.size()));
  }
  return info(id, std::int64_t{0},
              text({"no NVIDIA GPU found: models are computed on the processor",
                    "未找到 NVIDIA GPU：模型将在处理器上计算"}));
}

Text reason_of(std::int64_t code) {
  switch (code) {
    case nvml::gpu_is_lost:
      return text({"fell off the bus (Xid 79)", "已从总线上掉线（Xid 79）"});
    case nvml::insufficient_power:
      return text({"an external power cable is missing", "外接供电线未接好"});
    case nvml::reset_required:
      return text({"needs a reset", "需要复位"});
    case nvml::no_permission:
      return text({"access is denied", "无访问权限"});
    default:
      return text({"does not answer (NVML code {})", "没有响应（NVML 代码 {}）"}, code);
  }
}

void lost_cards(const Gpus& gpus, Findings& findings) {
  for (std::size_t i = 0; i < gpus.report.gpus.size(); ++i) {
    const auto& code = gpus.report.gpus[i].error;
    if (!code) continue;
    const Text reason = reason_of(*code);
    findings.push_back(failure(
        fmt::format("gpu.lost.{}", i), *code,
        {fmt::format("GPU {}: {}", i, reason.en), fmt::format("GPU {}：{}", i, reason.zh)},
        text({"check its power cables and seat, then: sudo reboot (details: sudo dmesg | grep Xid)",
              "检查供电线与插槽，然后执行 sudo reboot（详情：sudo dmesg | grep Xid）"})));
  }
}

void memory(const Gpus& gpus, Findings& findings) {
  std::uint64_t total = 0, used = 0, least = UINT64_MAX;
  for (const auto& [index, gpu] : working_cards(gpus)) {
    if (!gpu->memory_total_bytes) return;
    total += *gpu->memory_total_bytes;
    used += gpu->memory_used_bytes.value_or(0);
    least = std::min(least, *gpu->memory_total_bytes);
  }
  const auto value = static_cast<std::int64_t>(std::min<std::uint64_t>(total, INT64_MAX));
  const Text in_use = text({", {} in use", "，已用 {}"}, format_gpu_memory(used));
  const Text size =
      least == total
          ? text({"{} of GPU memory", "GPU 显存 {}"}, format_gpu_memory(total))
          : text({"{} of GPU memory, at least {} on each card", "GPU 显存共 {}，每卡至少 {}"},
                 format_gpu_memory(total), format_gpu_memory(least));
  findings.push_back(ok("gpu.memory", value, {size.en + in_use.en, size.zh + in_use.zh}));
}

void bandwidth(const Gpus& gpus, Findings& findings) {
  constexpr const char* id = "gpu.bandwidth";
  std::optional<double> slowest;
  for (const auto& [index, gpu] : working_cards(gpus)) {
    const std::optional<double> one = memory_bandwidth(*gpu);
    if (one && (!slowest || *one < *slowest)) slowest = one;
  }
  if (!slowest) {
    findings.push_back(
        info(id, {},
             text({"the driver does not say how fast the GPU memory is", "驱动未给出显存带宽"})));
  } else if (*slowest >= bandwidth_recommended) {
    findings.push_back(
        ok(id, *slowest,
           text({"GPU memory of {} ({} recommended)", "显存带宽 {}（建议 {}）"},
                format_byte_rate(*slowest), format_byte_rate(bandwidth_recommended))));
  } else {
    findings.push_back(warning(
        id, *slowest,
        text({"GPU memory of {}, {} recommended: it bounds the tokens a second of a dialogue",
              "显存带宽 {}，建议 {}：它决定对话时每秒的词元数"},
             format_byte_rate(*slowest), format_byte_rate(bandwidth_recommended)),
        text({"serve 4-bit weights: premise quantize SRC DST --type q4_k_m",
              "使用 4 位权重：premise quantize SRC DST --type q4_k_m"})));
  }
}

void probe_gpu_cards(MachineSource& machine, Findings& findings) {
  const Gpus gpus = read_gpus(machine);
  findings.push_back(cards(gpus));
  lost_cards(gpus, findings);
  if (working_cards(gpus).empty()) return;
  memory(gpus, findings);
  bandwidth(gpus, findings);
}

}  // namespace

extern const Probe gpu_cards;
const Probe gpu_cards{"gpu_cards", 500, probe_gpu_cards};

}  // namespace premise
