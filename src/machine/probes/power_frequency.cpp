// How fast the processor may run: governor, frequency cap, turbo, power limit.
#include "base/printable.h"
#include "machine/probe.h"

namespace premise {
namespace {

constexpr std::string_view frequency_folder = "/sys/devices/system/cpu/cpu0/cpufreq/";

std::string line_of(MachineSource& machine, std::string_view name) {
  return printable(
      read_line(machine, std::string(frequency_folder) + std::string(name)).value_or(""));
}

/// Of intel_pstate and amd-pstate "powersave" is the dynamic governor, and the preference decides;
/// with every other driver it holds the lowest frequency
/// (Documentation/admin-guide/pm/intel_pstate.rst).
Finding governor(MachineSource& machine) {
  constexpr const char* id = "power.governor";
  const std::string driver = line_of(machine, "scaling_driver");
  const std::string governor = line_of(machine, "scaling_governor");
  if (governor.empty()) {
    return info(id, {},
                text({"frequencies are not for this system to set (a virtual machine, or the "
                      "firmware does)",
                      "频率不由本系统设置（虚拟机，或由固件管理）"}));
  }
  const std::string preference = line_of(machine, "energy_performance_preference");
  const bool dynamic = driver == "intel_pstate" || driver.starts_with("amd-pstate");
  const bool slow =
      dynamic ? preference == "power" || preference == "balance_power" : governor == "powersave";
  const std::string value = preference.empty() ? governor : governor + "/" + preference;
  if (slow) {
    return warning(
        id, value,
        text({"{} with {}: the processor is held at low frequencies to save power",
              "{}（{}）：为省电处理器被限制在低频"},
             value, driver),
        text({"sudo cpupower frequency-set -g performance (package linux-cpupower or "
              "kernel-tools)",
              "执行 sudo cpupower frequency-set -g performance（软件包 linux-cpupower 或 "
              "kernel-tools）"}));
  }
  return ok(id, value, text({"{} with {}", "{}（驱动 {}）"}, value, driver));
}

Finding frequency(MachineSource& machine) {
  constexpr const char* id = "power.frequency";
  const auto most =
      read_number(machine, std::string(frequency_folder) + "cpuinfo_max_freq");  // kHz
  const auto allowed = read_number(machine, std::string(frequency_folder) + "scaling_max_freq");
  if (!most || !allowed || *most <= 0) {
    return info(id, {}, text({"the processor does not tell its frequencies", "处理器未给出频率"}));
  }
  const double hertz = static_cast<double>(*allowed) * 1e3;
  if (*allowed < *most / 100 * 95) {
    return warning(
        id, hertz,
        text({"capped at {:.1f} of {:.1f} GHz", "频率被限制在 {:.1f} GHz（最高 {:.1f} GHz）"},
             static_cast<double>(*allowed) / 1e6, static_cast<double>(*most) / 1e6),
        command_line(fmt::format("sudo cpupower frequency-set -u {}kHz", *most)));
  }
  const bool no_turbo =
      read_number(machine, "/sys/devices/system/cpu/intel_pstate/no_turbo") == 1 ||
      read_number(machine, "/sys/devices/system/cpu/cpufreq/boost") == 0;
  if (no_turbo) {
    const bool intel =
        read_number(machine, "/sys/devices/system/cpu/intel_pstate/no_turbo").has_value();
    return warning(
        id, hertz, text({"turbo is switched off", "睿频已关闭"}),
        command_line(intel ? "echo 0 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo"
                           : "echo 1 | sudo tee /sys/devices/system/cpu/cpufreq/boost"));
  }
  return ok(id, hertz,
            text({"up to {:.1f} GHz", "最高 {:.1f} GHz"}, static_cast<double>(*allowed) / 1e6));
}

/// Intel's and AMD's running average power limit, of the long window.
Finding cap(MachineSource& machine) {
  constexpr const char* id = "power.cap";
  const std::string zone = "/sys/class/powercap/intel-rapl:0/";
  const auto limit = read_number(machine, zone + "constraint_0_power_limit_uw");
  const auto most = read_number(machine, zone + "constraint_0_max_power_uw");
  if (!limit || *limit <= 0) {
    return info(id, {},
                text({"no power limit of the processor can be read", "无法读取处理器功率上限"}));
  }
  const double watts = static_cast<double>(*limit) / 1e6;
  if (most && *most > 0 && *limit < *most / 100 * 95) {
    return warning(
        id, watts,
        text({"the processor is capped at {:.0f} of {:.0f} W",
              "处理器功率被限制在 {:.0f} W（最高 {:.0f} W）"},
             watts, static_cast<double>(*most) / 1e6),
        command_line(fmt::format("echo {} | sudo tee {}constraint_0_power_limit_uw", *most, zone)));
  }
  return ok(id, watts, text({"the processor may draw {:.0f} W", "处理器功率上限 {:.0f} W"}, watts));
}

void probe_power_frequency(MachineSource& machine, Findings& findings) {
  findings.push_back(governor(machine));
  findings.push_back(frequency(machine));
  findings.push_back(cap(machine));
}

}  // namespace

extern const Probe power_frequency;
const Probe power_frequency{.name = "power_frequency", .order = 800, .run = probe_power_frequency};

}  // namespace premise
