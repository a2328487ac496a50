// Attention in its two shapes: decode (one query, long cache: bytes of the cache a second) and
// prefill (many queries: floating-point operations a second). `fma_peak` is the roof of the latter:
// independent multiply-adds on registers, nothing else.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>
#include <vector>

#include "numerics/device/memory.h"
#include "numerics/kernels/attention.h"

namespace premise {
namespace {

constexpr int block_tokens = 64;

class Cache {
 public:
  Cache(int context, int head_dim) {
    const std::size_t blocks = (context + block_tokens - 1) / block_tokens;
    const std::size_t elements = std::size_t{1} * block_tokens * head_dim;
    memory_ = AlignedBuffer::allocate(2 * blocks * elements * 2).value();
    auto* data = reinterpret_cast<std::uint16_t*>(memory_.data());
    for (std::size_t i = 0; i < 2 * blocks * elements; ++i) {
      data[i] = static_cast<std::uint16_t>(0x3000 + i * 7919 % 0x800);  // 0.125 … 0.5
    }
    for (std::size_t block = 0; block < blocks; ++block) {
      keys_.push_back(data + 2 * block * elements);
      values_.push_back(data + (2 * block + 1) * elements);
    }
  }

  const std::uint16_t* const* keys() const { return keys_.data(); }
  const std::uint16_t* const* values() const { return values_.data(); }

 private:
  AlignedBuffer memory_;
  std::vector<const std::uint16_t*> keys_;
  std::vector<const std::uint16_t*> values_;
};

/// arguments: head_dim, context before the queries, queries, heads of the group
void attention(benchmark::State& state, Isa isa) {
  if (isa > widest_isa()) return state.SkipWithError("this machine does not offer it");
  const int dim = static_cast<int>(state.range(0));
  const int before = static_cast<int>(state.range(1));
  const int queries = static_cast<int>(state.range(2));
  const int heads = static_cast<int>(state.range(3));
  const Cache cache(before + queries, dim);
  const std::size_t stride = std::size_t{1} * heads * dim;
  std::vector<float> input(queries * stride);
  for (std::size_t i = 0; i < input.size(); ++i) {
    input[i] = static_cast<float>(i * 31 % 101) / 50 - 1;
  }
  std::vector<float> out(input.size());
  AttentionArgs args{.queries = input.data(),
                     .query_stride = stride,
                     .head_stride = static_cast<std::size_t>(dim),
                     .out = out.data(),
                     .out_query_stride = stride,
                     .out_head_stride = static_cast<std::size_t>(dim),
                     .query_count = queries,
                     .group_heads = heads,
                     .head_dim = dim,
                     .first_position = before,
                     .window = 0,
                     .scale = 0.0625f,
                     .softcap = 0,
                     .key_blocks = cache.keys(),
                     .value_blocks = cache.values(),
                     .block_tokens = block_tokens,
                     .scratch = nullptr};
  const AttentionKernel& kernel = attention_kernel(isa);
  AlignedBuffer scratch =
      AlignedBuffer::allocate(kernel.scratch_floats(args) * sizeof(float)).value();
  args.scratch = reinterpret_cast<float*>(scratch.data());
  for (auto _ : state) {
    kernel.run(args);
    benchmark::ClobberMemory();
  }
  // Two products of head_dim multiply-adds for each pair of a query's head and a position it sees.
  double pairs = 0;
  for (int query = 0; query < queries; ++query) pairs += before + query + 1;
  const auto rounds = static_cast<double>(state.iterations());
  state.counters["flop/s"] =
      benchmark::Counter(rounds * pairs * heads * dim * 4, benchmark::Counter::kIsRate);
  state.counters["cache B/s"] =
      benchmark::Counter(rounds * (before + queries) * dim * 4, benchmark::Counter::kIsRate);
}

void shapes(benchmark::internal::Benchmark* bench) {
  for (int heads : {1, 4, 8}) bench->Args({256, 4095, 1, heads});
  bench->Args({128, 32767, 1, 4})->Args({64, 511, 1, 4});
  bench->Args({256, 0, 512, 4})->Args({128, 0, 512, 4})->Args({64, 0, 512, 8});
  bench->Args({80, 0, 512, 1})->Args({128, 2048, 16, 4});
}
BENCHMARK_CAPTURE(attention, avx512, Isa::avx512)->Apply(shapes)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(attention, avx2, Isa::avx2)->Apply(shapes)->Unit(benchmark::kMicrosecond);

/// The roof: independent chains in registers. This file is baseline code, hence the attributes.
template <int Chains, typename Vector>
[[gnu::always_inline]] inline void multiply_add(benchmark::State& state, const Vector& x) {
  constexpr int rounds = 1000;
  Vector sums[Chains] = {};
  for (auto _ : state) {
    for (int i = 0; i < rounds; ++i) {
#pragma GCC unroll 16
      for (Vector& sum : sums) sum = x * sum + x;
#pragma GCC unroll 16
      for (Vector& sum : sums) __asm__ volatile("" : "+v"(sum));
    }
  }
  constexpr double flops = 2.0 * rounds * Chains * sizeof(Vector) / sizeof(float);
  state.counters["flop/s"] = benchmark::Counter(static_cast<double>(state.iterations()) * flops,
                                                benchmark::Counter::kIsRate);
}

using Floats16 [[gnu::vector_size(64)]] = float;
using Floats8 [[gnu::vector_size(32)]] = float;

[[gnu::target("avx512f,avx512vl"), gnu::optimize("fp-contract=fast")]]
void fma_peak_512(benchmark::State& state) {
  if (widest_isa() < Isa::avx512) return state.SkipWithError("this machine does not offer it");
  multiply_add<16>(state, Floats16{} + 0.5f);
}
[[gnu::target("avx2,fma"), gnu::optimize("fp-contract=fast")]]
void fma_peak_256(benchmark::State& state) {
  if (widest_isa() < Isa::avx2) return state.SkipWithError("this machine does not offer it");
  multiply_add<10>(state, Floats8{} + 0.5f);
}
BENCHMARK(fma_peak_512);
BENCHMARK(fma_peak_256);

}  // namespace
}  // namespace premise
