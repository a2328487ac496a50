// The small operations of a layer on a row of 2048, in elements a second.
#include <benchmark/benchmark.h>

#include <vector>

#include "numerics/kernels/elementwise.h"

namespace premise {
namespace {

enum class Operation { rms_norm, add, softcap, silu_mul, gelu_tanh_mul, rope_half };

void run(const ElementwiseKernels& k, Operation operation, const std::vector<float>& x,
         const std::vector<float>& y, std::vector<float>& out) {
  const std::size_t n = x.size();
  switch (operation) {
    case Operation::rms_norm:
      return k.rms_norm(x.data(), y.data(), 1e-6f, n, out.data());
    case Operation::add:
      return k.add(x.data(), y.data(), n, out.data());
    case Operation::softcap:
      return k.softcap(x.data(), 30.0f, n, out.data());
    case Operation::silu_mul:
      return k.silu_mul(x.data(), y.data(), n, out.data());
    case Operation::gelu_tanh_mul:
      return k.gelu_tanh_mul(x.data(), y.data(), n, out.data());
    case Operation::rope_half:
      return k.rope_half(out.data(), x.data(), y.data(), n);
  }
}

void elementwise(benchmark::State& state, Operation operation, Isa isa) {
  if (isa > widest_isa()) return state.SkipWithError("this machine does not offer it");
  const std::size_t n = state.range(0);
  std::vector<float> x(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<float>(i * 37 % 401) / 50 - 4;
  const std::vector<float> y(n, 0.7f);
  std::vector<float> out(n, 0.5f);
  for (auto _ : state) {
    run(elementwise_kernels(isa), operation, x, y, out);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

#define PREMISE_BENCH(operation)                                                                \
  BENCHMARK_CAPTURE(elementwise, operation / avx512, Operation::operation, Isa::avx512)         \
      ->Arg(2048);                                                                              \
  BENCHMARK_CAPTURE(elementwise, operation / avx2, Operation::operation, Isa::avx2)->Arg(2048); \
  BENCHMARK_CAPTURE(elementwise, operation / ref, Operation::operation, Isa::ref)->Arg(2048)

PREMISE_BENCH(rms_norm);
PREMISE_BENCH(add);
PREMISE_BENCH(softcap);
PREMISE_BENCH(silu_mul);
PREMISE_BENCH(gelu_tanh_mul);
PREMISE_BENCH(rope_half);

}  // namespace
}  // namespace premise
