// Heat, and what a laptop runs on.
#include <algorithm>
#include <optional>

#include "base/printable.h"
#include "machine/facts/words.h"
#include "machine/probe.h"

namespace premise {
namespace {

/// Milliseconds that any processor was slowed down for heat since the start; where the kernel only
/// counts (before 5.7), a second for each time.
std::optional<std::int64_t> throttled_ms(MachineSource& machine) {
  const auto line = read_line(machine, "/sys/devices/system/cpu/online");
  const auto cpus = line ? number_list(*line) : std::nullopt;
  std::optional<std::int64_t> most;
  for (const int cpu : cpus.value_or(std::vector<int>{})) {
    const std::string folder =
        "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/thermal_throttle/";
    auto time = read_number(machine, folder + "package_throttle_total_time_ms");
    if (!time) {
      const auto count = read_number(machine, folder + "package_throttle_count");
      if (count && *count < INT64_MAX / 1000) time = *count * 1000;
    }
    if (!time) return most;  // this kernel or processor has none
    most = std::max(most.value_or(0), *time);
  }
  return most;
}

Finding throttling(MachineSource& machine) {
  constexpr const char* id = "power.thermal_throttling";
  constexpr double noticeable_seconds = 60;
  const auto time = throttled_ms(machine);
  if (!time) {
    return info(id, {},
                text({"whether heat has slowed the processor cannot be read here",
                      "此处无法得知处理器是否因过热降频"}));
  }
  const double seconds = static_cast<double>(*time) / 1000;
  if (seconds >= noticeable_seconds) {
    return warning(
        id, seconds,
        text({"heat has slowed the processor for {:.0f} s since the start",
              "开机以来处理器因过热降频 {:.0f} 秒"},
             seconds),
        text({"check fans, dust and air flow; watch it: sudo turbostat --Summary --show "
              "PkgTmp,PkgWatt",
              "检查风扇、灰尘与风道；观察：sudo turbostat --Summary --show PkgTmp,PkgWatt"}));
  }
  return ok(id, seconds,
            text({"heat has not slowed the processor to speak of", "处理器基本没有因过热降频"}));
}

struct Zone {
  std::string type;
  double celsius = 0;
  std::optional<double> limit;  // where cooling or shutting down begins
};

std::optional<Zone> read_zone(MachineSource& machine, const std::string& folder) {
  const auto milli = read_number(machine, folder + "/temp");
  if (!milli || *milli < -50'000 || *milli > 200'000) return std::nullopt;
  Zone zone{.type = read_line(machine, folder + "/type").value_or(""),
            .celsius = static_cast<double>(*milli) / 1000,
            .limit = {}};
  constexpr int trips = 8;
  for (int i = 0; i < trips; ++i) {
    const std::string trip = folder + "/trip_point_" + std::to_string(i);
    const auto type = read_line(machine, trip + "_type");
    if (!type) break;
    const auto limit = read_number(machine, trip + "_temp");
    const bool counts = *type == "hot" || *type == "critical" || *type == "passive";
    if (!counts || !limit || *limit <= 0) continue;
    const double celsius = static_cast<double>(*limit) / 1000;
    zone.limit = std::min(zone.limit.value_or(celsius), celsius);
  }
  return zone;
}

Finding temperature(MachineSource& machine) {
  constexpr const char* id = "power.temperature";
  std::optional<Zone> warmest;
  for (const std::string& name : machine.list_folder("/sys/class/thermal").names) {
    if (!name.starts_with("thermal_zone")) continue;
    const auto zone = read_zone(machine, "/sys/class/thermal/" + name);
    if (!zone) continue;
    if (zone->limit && zone->celsius >= *zone->limit) {
      return warning(
          id, zone->celsius,
          text({"{}: {:.0f} °C, its limit is {:.0f} °C: the system slows down or stops",
                "{}：{:.0f} °C，上限为 {:.0f} °C：系统会降频或停机"},
               printable(zone->type), zone->celsius, *zone->limit),
          text({"check fans, dust and air flow: sensors", "检查风扇、灰尘与风道：sensors"}));
    }
    if (!warmest || zone->celsius > warmest->celsius) warmest = zone;
  }
  if (!warmest) return info(id, {}, text({"no temperature found", "未发现温度传感器"}));
  return ok(id, warmest->celsius,
            text({"{}: {:.0f} °C, the warmest", "最高温度 {1:.0f} °C（{0}）"},
                 printable(warmest->type), warmest->celsius));
}

Finding supply(MachineSource& machine) {
  constexpr const char* id = "power.supply";
  const std::string top = "/sys/class/power_supply";
  bool battery = false;
  for (const std::string& name : machine.list_folder(top).names) {
    const std::string folder = top + "/" + name;
    const auto type = read_line(machine, folder + "/type");
    battery = battery || type == "Battery";
    if (type == "Mains" && read_number(machine, folder + "/online") == 0) {
      return warning(
          id, std::string("battery"),
          text({"on battery: the processor is held back, and figures measured now are low",
                "正在使用电池：处理器受限，此时测得的数值偏低"}),
          text({"plug it in", "请接通电源"}));
    }
  }
  return info(id, std::string("mains"),
              battery ? text({"plugged in", "已接通电源"})
                      : text({"no battery: on mains", "没有电池：使用外部电源"}));
}

void probe_power_heat(MachineSource& machine, Findings& findings) {
  findings.push_back(throttling(machine));
  findings.push_back(temperature(machine));
  findings.push_back(supply(machine));
}

}  // namespace

extern const Probe power_heat;
const Probe power_heat{.name = "power_heat", .order = 810, .run = probe_power_heat};

}  // namespace premise
