#include "machine/measure/measured.h"

#include <algorithm>

#include "base/printable.h"
#include "base/units.h"

namespace premise {
namespace {

// A 7B model with 4-bit weights (Q4_K_M), the size that most begin with.
constexpr double example_weight_bytes = 4.68e9;
constexpr double example_parameters = 7.07e9;  // that are multiplied for a token

template <typename Rates>
std::optional<double> fastest(const Rates& rates) {
  std::optional<double> best;
  for (const IsaRate& rate : rates) best = std::max(best.value_or(0), rate.per_second);
  return best;
}

/// "1.36 T" of operations.
std::string tera(double per_second) {
  return per_second < 1e12 ? fmt::format("{:.0f} G", per_second / 1e9)
                           : fmt::format("{:.2f} T", per_second / 1e12);
}

Finding memory_bandwidth(const Measured& measured) {
  constexpr const char* id = "memory.bandwidth";
  const auto best = measured.memory_read_bytes_per_second();
  if (!best) return info(id, {}, text({"not measured", "未测量"}));
  const auto fastest_of = std::max_element(measured.memory_read.begin(), measured.memory_read.end(),
                                           [](const ThreadRate& a, const ThreadRate& b) {
                                             return a.bytes_per_second < b.bytes_per_second;
                                           });
  Text why = text({"{} read (threads: {})", "读取 {}（线程数：{}）"}, format_byte_rate(*best),
                  fastest_of->threads);
  if (measured.memory_read.front().threads != fastest_of->threads) {
    why = and_then(why, text({"{} (threads: {})", "{}（线程数：{}）"},
                             format_byte_rate(measured.memory_read.front().bytes_per_second),
                             measured.memory_read.front().threads));
  }
  return ok(
      id, *best,
      and_then(why, text({"a 7B model in 4 bits writes at most {:.1f} tokens/s on the processor",
                          "4 位的 7B 模型在处理器上最多每秒生成 {:.1f} 个词元"},
                         *best / example_weight_bytes)));
}

Text by_isa(const std::vector<IsaRate>& rates, std::string_view unit) {
  Text out;
  for (auto rate = rates.rbegin(); rate != rates.rend(); ++rate) {
    const Text one =
        text({"{}{}/s with {}", "{}{}/s（使用 {}）"}, tera(rate->per_second), unit, rate->isa);
    out = out.empty() ? one : and_then(out, one);
  }
  return out;
}

Finding int8(const Measured& measured) {
  constexpr const char* id = "cpu.int8";
  const auto best = measured.int8_ops_per_second();
  if (!best) return info(id, {}, text({"not measured", "未测量"}));
  return ok(id, *best,
            and_then(by_isa(measured.int8_ops, "op"),
                     text({"a 7B model reads at most {:.0f} tokens/s of a prompt on the processor",
                           "7B 模型在处理器上最多每秒读入 {:.0f} 个提示词元"},
                          *best / (2 * example_parameters))));
}

Finding bf16(const Measured& measured) {
  constexpr const char* id = "cpu.bf16";
  const auto best = measured.bf16_flops_per_second();
  if (!best) return info(id, {}, text({"not measured", "未测量"}));
  return ok(id, *best, by_isa(measured.bf16_flops, "FLOP"));
}

Finding store_read(const Measured& measured) {
  constexpr const char* id = "storage.read_rate";
  if (!measured.store_read) {
    const Text& reason = measured.store_not_read;
    return info(id, {},
                reason.empty() ? text({"not measured", "未测量"})
                               : Text{"not measured: " + reason.en, "未测量：" + reason.zh});
  }
  const StoreRate& rate = *measured.store_read;
  Text why = text({"{} read from {}", "从 {1} 读取 {0}"}, format_byte_rate(rate.bytes_per_second),
                  printable(rate.folder));
  if (!rate.direct && rate.cached_share > 0.01) {
    why = and_then(why, text({"{:.0f} % of it lay in memory already, so that the disk is slower",
                              "其中 {:.0f} % 已在内存中，磁盘实际更慢"},
                             100 * rate.cached_share));
  }
  const Text time = format_duration(example_weight_bytes / rate.bytes_per_second);
  why = and_then(why, Text{"a 7B model in 4 bits comes in within " + time.en,
                           "读入 4 位的 7B 模型需 " + time.zh});
  constexpr double slow = 250e6;
  if (rate.bytes_per_second < slow) {
    return warning(id, rate.bytes_per_second, why,
                   text({"keep the models that are served on an NVMe disk: export "
                         "PREMISE_HOME=/path/on/nvme",
                         "将要使用的模型放在 NVMe 磁盘上：export PREMISE_HOME=/nvme/上的路径"}));
  }
  return ok(id, rate.bytes_per_second, why);
}

}  // namespace

std::optional<double> Measured::memory_read_bytes_per_second() const {
  std::optional<double> best;
  for (const ThreadRate& rate : memory_read)
    best = std::max(best.value_or(0), rate.bytes_per_second);
  return best;
}

std::optional<double> Measured::int8_ops_per_second() const { return fastest(int8_ops); }
std::optional<double> Measured::bf16_flops_per_second() const { return fastest(bf16_flops); }

Findings judge(const Measured& measured) {
  return {memory_bandwidth(measured), int8(measured), bf16(measured), store_read(measured)};
}

}  // namespace premise
