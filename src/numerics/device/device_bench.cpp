// What threads cost: a barrier, the start of a region after a pause, with a processor for each
// thread (2 threads) and without (8 threads on a machine of 2), and waiting for a slower thread.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "numerics/device/thread_team.h"

namespace premise {
namespace {

void barrier(benchmark::State& state) {
  ThreadTeam team(static_cast<int>(state.range(0)));
  constexpr int barriers = 1000;
  for (auto _ : state) {
    team.run([&](int) {
      for (int i = 0; i < barriers; ++i) team.barrier();
    });
  }
  state.SetItemsProcessed(state.iterations() * barriers);
}
BENCHMARK(barrier)->Arg(1)->Arg(2)->Arg(8)->UseRealTime()->Unit(benchmark::kMicrosecond);

/// Regions that follow each other at once: the workers are still spinning.
void region(benchmark::State& state) {
  ThreadTeam team(static_cast<int>(state.range(0)));
  for (auto _ : state) team.run([](int) {});
}
BENCHMARK(region)->Arg(1)->Arg(2)->Arg(8)->UseRealTime();

/// Regions after a pause in which the workers went to sleep: what a wake-up costs.
void region_after_sleep(benchmark::State& state) {
  using Clock = std::chrono::steady_clock;
  ThreadTeam team(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    const Clock::time_point rest = Clock::now() + std::chrono::microseconds(300);
    while (Clock::now() < rest) {
    }
    const Clock::time_point start = Clock::now();
    team.run([](int) {});
    state.SetIterationTime(std::chrono::duration<double>(Clock::now() - start).count());
  }
}
BENCHMARK(region_after_sleep)->Arg(2)->Arg(8)->UseManualTime()->Iterations(2000);

/// Phases of 100 to 300 us whose threads do not finish at once, as those of a model's step: the
/// time above the work of the slowest thread is what waiting costs.
void uneven_phases(benchmark::State& state) {
  using Clock = std::chrono::steady_clock;
  const auto threads = static_cast<int>(state.range(0));
  ThreadTeam team(threads);
  constexpr int phases = 200;
  const auto work = [](int phase, int index) {
    return std::chrono::microseconds(100 + 37 * phase % 200 + (phase + index) % 2 * 30);
  };
  for (auto _ : state) {
    const Clock::time_point start = Clock::now();
    team.run([&](int index) {
      for (int phase = 0; phase < phases; ++phase) {
        const Clock::time_point end = Clock::now() + work(phase, index);
        while (Clock::now() < end) {
        }
        team.barrier();
      }
    });
    std::chrono::duration<double> above = Clock::now() - start;
    for (int phase = 0; phase < phases; ++phase) above -= std::max(work(phase, 0), work(phase, 1));
    state.SetIterationTime(above.count() / phases);
  }
}
BENCHMARK(uneven_phases)->Arg(2)->UseManualTime()->Iterations(20)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace premise
