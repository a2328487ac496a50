// What threads cost: a barrier, the start of a region after a pause, with a processor for each
// thread (2 threads) and without (8 threads on a machine of 2).
#include <benchmark/benchmark.h>

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

}  // namespace
}  // namespace premise
