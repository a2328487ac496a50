// How much memory there is, how much of it is free, and whether it is swapped out already.
#include <algorithm>

#include "base/units.h"
#include "machine/facts/memory_table.h"
#include "machine/probe.h"

namespace premise {
namespace {

// Sold as 32 and 64 GB; firmware, kernel and built-in graphics keep up to 2 GB of that.
constexpr std::uint64_t for_inference = 30'000'000'000;
constexpr std::uint64_t for_training = 62'000'000'000;

std::optional<std::uint64_t> entry_of(const MemoryTable& table, std::string_view key) {
  const auto found = table.find(key);
  return found == table.end() ? std::nullopt : std::optional(found->second);
}

Finding unknown(const char* id) {
  return info(id, {}, text({"unknown: /proc/meminfo does not say", "未知：/proc/meminfo 未给出"}));
}

Finding size(const MemoryTable& table) {
  constexpr const char* id = "memory.size";
  const auto total = entry_of(table, "MemTotal");
  if (!total) return unknown(id);
  const auto value = static_cast<std::int64_t>(*total);
  const std::string bytes = format_bytes(*total);
  if (*total >= for_training) {
    return ok(id, value,
              text({"{}, enough for inference and training", "{}，足够推理和训练"}, bytes));
  }
  if (*total >= for_inference) {
    return ok(
        id, value,
        text({"{}, enough for inference; training wants 64 GB", "{}，足够推理；训练建议 64 GB"},
             bytes));
  }
  return warning(
      id, value,
      text({"{}: inference wants 32 GB, training 64 GB", "{}：推理建议 32 GB，训练建议 64 GB"},
           bytes),
      text({"add memory, or take a model that fits: premise plan --params 7b --type q4_k_m",
            "增加内存，或选用放得下的模型：premise plan --params 7b --type q4_k_m"}));
}

Finding available(const MemoryTable& table) {
  constexpr const char* id = "memory.available";
  const auto bytes = entry_of(table, "MemAvailable");
  const auto total = entry_of(table, "MemTotal");
  if (!bytes || !total) return unknown(id);
  const auto value = static_cast<std::int64_t>(*bytes);
  if (*bytes < *total / 10) {
    return warning(id, value,
                   text({"only {} of {} can be had: a model that is loaded now drives others out",
                         "{1} 中仅有 {0} 可用：此时加载模型会挤走其他程序"},
                        format_bytes(*bytes), format_bytes(*total)),
                   text({"see who holds it: ps -eo rss,pid,comm --sort=-rss | head",
                         "查看占用者：ps -eo rss,pid,comm --sort=-rss | head"}));
  }
  return ok(id, value, text({"{} can be had now", "当前可用 {}"}, format_bytes(*bytes)));
}

Finding swap(const MemoryTable& table) {
  constexpr const char* id = "memory.swap";
  constexpr std::uint64_t some = std::uint64_t{64} << 20;  // what idle programs leave there
  const auto total = entry_of(table, "SwapTotal");
  const auto free = entry_of(table, "SwapFree");
  if (!total || !free) return unknown(id);
  const std::uint64_t used = *total - std::min(*total, *free);
  const auto value = static_cast<std::int64_t>(used);
  if (used >= some) {
    return warning(
        id, value,
        text({"{} of swap are in use: weights that are swapped out make every token wait "
              "for the disk",
              "交换区已用 {}：权重一旦被换出，每个词元都要等磁盘"},
             format_bytes(used)),
        text({"stop what takes the memory (ps -eo rss,pid,comm --sort=-rss | head), then: "
              "sudo swapoff -a && sudo swapon -a; for good: sudo sysctl vm.swappiness=1",
              "先停掉占用内存的程序（ps -eo rss,pid,comm --sort=-rss | head），再执行：sudo "
              "swapoff -a && sudo swapon -a；长期：sudo sysctl vm.swappiness=1"}));
  }
  if (*total == 0) return ok(id, value, text({"no swap", "没有交换区"}));
  return ok(id, value,
            text({"none of {} of swap is in use to speak of", "{} 交换区基本未使用"},
                 format_bytes(*total)));
}

void probe_memory_size(MachineSource& machine, Findings& findings) {
  const MemoryTable table = read_memory_table(machine);
  findings.push_back(size(table));
  findings.push_back(available(table));
  findings.push_back(swap(table));
}

}  // namespace

extern const Probe memory_size;
const Probe memory_size{.name = "memory_size", .order = 300, .run = probe_memory_size};

}  // namespace premise
