#include "machine/measure/measure.h"

#include <algorithm>
#include <bit>
#include <chrono>

#include "machine/measure/memory_bandwidth.h"
#include "machine/measure/store_read.h"
#include "machine/measure/throughput.h"

namespace premise {
namespace {

// Two kernels on at most three instruction sets, log2(threads) + 1 counts of threads, writing and
// reading: 1.8 + 2.5 + 2 · 2.5 seconds, and some for making the memory that is read.
constexpr double seconds_of_a_kernel = 0.3;
constexpr double seconds_of_memory = 2.5;
constexpr double seconds_of_store = 2.5;

}  // namespace

Measured measure_machine(MachineSource& machine, int threads, const MeasureHooks& hooks) {
  constexpr int steps = 3;
  const auto start = std::chrono::steady_clock::now();
  const auto report = [&](int step) {
    if (hooks.progress) hooks.progress(step, steps);
  };
  const auto stopped = [&] { return hooks.stop && hooks.stop(); };
  Measured measured;
  report(0);
  const int counts = std::bit_width(static_cast<unsigned>(threads)) + 1;
  auto memory = measure_memory_read(threads, last_cache_bytes(machine), seconds_of_memory / counts,
                                    hooks.stop);
  if (memory.ok()) measured.memory_read = std::move(memory).value();
  report(1);
  auto throughput = measure_throughput(threads, seconds_of_a_kernel, hooks.stop);
  if (throughput.ok()) {
    measured.int8_ops = std::move(throughput->int8_ops);
    measured.bf16_flops = std::move(throughput->bf16_flops);
  }
  report(2);
  if (!stopped()) {
    auto store = measure_store_read(machine.store_folder(), seconds_of_store, hooks.stop);
    if (store.ok()) {
      measured.store_read = std::move(store).value();
    } else {
      measured.store_not_read = std::move(store).error().what;
    }
  }
  report(steps);
  measured.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return measured;
}

}  // namespace premise
