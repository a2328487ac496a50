// Why measure at all: the bandwidth that a data sheet promises is shared with neighbours on a
// virtual machine, and the clock under vector load is anybody's guess. The doctor's own
// measurements are used, cut to a fraction of its time, so that the two commands agree about a
// machine.
#include "planning/this_machine.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "machine/measure/memory_bandwidth.h"
#include "machine/measure/throughput.h"
#include "numerics/device/available_memory.h"
#include "numerics/device/cpu.h"

namespace premise {
namespace {

// Shares of the measured rates that the engine reaches, from `premise bench engine` on Zen 4 with
// Gemma 3 270M (docs/sizing.md).
constexpr double decode_efficiency = 0.8;
constexpr double prefill_efficiency = 0.72;
constexpr double attention_efficiency = 1.2;

constexpr double reading_seconds = 0.15;      // with each number of threads
constexpr double multiplying_seconds = 0.12;  // with each kernel

// For machines that cannot be measured: one channel of DDR4, and AVX2 at 2.5 GHz.
constexpr double assumed_bytes_per_second = 12e9;
constexpr double assumed_int8_ops_per_core = 8e10;
constexpr double assumed_bf16_flops_per_core = 2e10;

double rate_with(const std::vector<IsaRate>& rates, Isa isa) {
  const auto found = std::ranges::find(rates, name_of(isa), &IsaRate::isa);
  return found == rates.end() ? 0 : found->per_second;
}

Figure measured_or(double measured, double assumed) {
  return measured > 0 ? Figure{measured, FigureSource::measured}
                      : Figure{assumed, FigureSource::assumed};
}

// What cannot be measured, for want of memory or of kernels, is assumed.
void measure_rates(Capacity& here, Isa isa) {
  double reading = 0;
  constexpr std::uint64_t some_cache = 32u << 20;
  if (const auto rates = measure_memory_read(here.threads, some_cache, reading_seconds, {}))
    for (const ThreadRate& rate : *rates) reading = std::max(reading, rate.bytes_per_second);
  here.read_bytes_per_second = measured_or(reading, assumed_bytes_per_second);
  const auto found = measure_throughput(here.threads, multiplying_seconds, {});
  const Throughput rates = found.ok() ? *found : Throughput{};
  here.int8_ops_per_second =
      measured_or(rate_with(rates.int8_ops, isa), assumed_int8_ops_per_core * here.threads);
  here.bf16_flops_per_second =
      measured_or(rate_with(rates.bf16_flops, isa), assumed_bf16_flops_per_core * here.threads);
}

}  // namespace

Result<Capacity> measure_this_machine(int threads, Isa isa) {
  Capacity here;
  here.id = "this";
  const auto memory = usable_memory_bytes();
  if (!memory)
    return error(ErrorCode::no_resources,
                 {"the size of this machine's memory cannot be read from /proc/meminfo",
                  "无法从 /proc/meminfo 读取本机内存大小"})
        .with_hint(text(
            {"name a device: premise plan … --on DEVICE", "请指定设备：premise plan … --on 设备"}));
  here.memory_bytes = *memory;
  here.threads = threads > 0 ? threads : default_thread_count();
  here.decode_efficiency = decode_efficiency;
  here.prefill_efficiency = prefill_efficiency;
  here.attention_efficiency = attention_efficiency;
  measure_rates(here, isa);
  return here;
}

}  // namespace premise
