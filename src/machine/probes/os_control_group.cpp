// What control groups grant: processors' time and memory. A quota is no fault, and Premise computes
// with as many threads as it covers; it becomes one where it is used up all the time, or where the
// limit of memory promises what the machine does not have.
#include <algorithm>

#include "base/units.h"
#include "machine/facts/control_group.h"
#include "machine/facts/memory_table.h"
#include "machine/facts/processor.h"
#include "machine/probe.h"

namespace premise {
namespace {

Text more_memory() {
  return text(
      {"give the container or unit more: docker update --memory 48g --memory-swap 48g NAME; "
       "systemctl set-property UNIT MemoryMax=48G",
       "为容器或单元增加内存：docker update --memory 48g --memory-swap 48g NAME；"
       "systemctl set-property UNIT MemoryMax=48G"});
}

Finding quota(const ControlGroup& group, const ProcessorCount& count) {
  constexpr const char* id = "os.cpu_quota";
  if (!group.quota_cores || *group.quota_cores >= count.open_threads) {
    return ok(id, std::string("none"), text({"no quota of processor time", "没有处理器时间配额"}));
  }
  const int threads = threads_within(count.open_cores, group.quota_cores);
  if (*group.quota_cores < 1) {
    return warning(id, *group.quota_cores,
                   text({"a control group grants {:.2f} of a processor: a single thread is stopped "
                         "in every period",
                         "控制组只给 {:.2f} 个处理器的时间：即使单线程也会在每个周期内被暂停"},
                        *group.quota_cores),
                   text({"docker update --cpus 4 NAME; systemctl set-property UNIT CPUQuota=400%",
                         "执行 docker update --cpus 4 NAME；或 systemctl set-property UNIT "
                         "CPUQuota=400%"}));
  }
  return info(id, *group.quota_cores,
              text({"a control group grants {:.4g} of {} processors; Premise computes with {} "
                    "threads",
                    "控制组给 {:.4g} 个处理器的时间（共 {} 个）；Premise 使用 {} 个线程计算"},
                   *group.quota_cores, count.threads, threads));
}

Finding throttling(const ControlGroup& group) {
  constexpr const char* id = "os.cpu_throttling";
  constexpr double most = 0.05;
  if (group.periods == 0) {
    return ok(id, 0.0, text({"no quota has stopped this group", "没有因配额而暂停"}));
  }
  const double share = std::min(
      1.0, static_cast<double>(group.throttled_periods) / static_cast<double>(group.periods));
  const double percent = 100 * share;
  if (share <= most) {
    return ok(
        id, share,
        text({"the quota was used up in {:.1f} % of its periods", "配额在 {:.1f} % 的周期内用尽"},
             percent));
  }
  return warning(id, share,
                 text({"the quota was used up in {:.1f} % of its periods, and all threads stood "
                       "still for the rest of them",
                       "配额在 {:.1f} % 的周期内用尽，其余时间所有线程都在等待"},
                      percent),
                 text({"raise the quota, or start fewer threads beside Premise in this group: "
                       "docker update --cpus 8 NAME",
                       "提高配额，或减少同组中的其他线程：docker update --cpus 8 NAME"}));
}

Finding memory_limit(const ControlGroup& group, std::uint64_t physical) {
  constexpr const char* id = "os.memory_limit";
  if (!group.memory_bytes) {
    return ok(id, std::string("none"), text({"no limit of memory", "没有内存限制"}));
  }
  const auto value = static_cast<std::int64_t>(*group.memory_bytes);
  const std::string limit = format_bytes(*group.memory_bytes);
  // Some set the machine's size as the limit; that promises nothing more than there is.
  if (physical > 0 && *group.memory_bytes / 100 > physical / 95) {
    return warning(id, value,
                   text({"overcommitted: the control group promises {} and the machine has {}, so "
                         "that the kernel kills before the limit is reached",
                         "超额分配：控制组许诺 {}，而整机只有 {}，未到上限内核就会杀死进程"},
                        limit, format_bytes(physical)),
                   text({"set a limit that the machine can keep: docker update --memory {} "
                         "--memory-swap {} NAME",
                         "设置机器能兑现的上限：docker update --memory {} --memory-swap {} NAME"},
                        physical / 10 * 9, physical / 10 * 9));
  }
  const std::uint64_t cache =
      std::min(group.memory_cache_bytes.value_or(0), group.memory_used_bytes.value_or(0));
  const std::uint64_t held = group.memory_used_bytes.value_or(0) - cache;
  if (held > *group.memory_bytes / 10 * 9) {
    return warning(id, value,
                   text({"{} of the {} that the control group may use are taken: a model that is "
                         "loaded now is killed",
                         "控制组可用的 {1} 中已占用 {0}：此时加载模型会被杀死"},
                        format_bytes(held), limit),
                   more_memory());
  }
  return info(id, value,
              text({"a control group allows {} of memory", "控制组允许使用 {} 内存"}, limit));
}

Finding kills(const ControlGroup& group) {
  constexpr const char* id = "os.out_of_memory";
  const auto count = static_cast<std::int64_t>(group.out_of_memory_kills);
  if (count == 0) {
    return ok(id, count,
              text({"nothing was killed here for want of memory", "没有进程因内存不足被杀"}));
  }
  return warning(
      id, count,
      text({"the kernel has killed {} processes of this control group for want of memory",
            "内核已因内存不足杀死此控制组中的 {} 个进程"},
           count),
      more_memory());
}

void probe_os_control_group(MachineSource& machine, Findings& findings) {
  const ControlGroup group = read_control_group(machine);
  const MemoryTable table = read_memory_table(machine);
  const auto total = table.find("MemTotal");
  findings.push_back(quota(group, count_processors(machine)));
  findings.push_back(throttling(group));
  findings.push_back(memory_limit(group, total == table.end() ? 0 : total->second));
  findings.push_back(kills(group));
}

}  // namespace

extern const Probe os_control_group;
const Probe os_control_group{
    .name = "os_control_group", .order = 160, .run = probe_os_control_group};

}  // namespace premise
