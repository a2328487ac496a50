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
  Cache(DType type, int context, int head_dim) {
    const std::size_t blocks = (context + block_tokens - 1) / block_tokens;
    const std::size_t bytes = *row_bytes(type, std::size_t{1} * block_tokens * head_dim);
    memory_ = AlignedBuffer::allocate(2 * blocks * bytes).value();
    for (std::size_t block = 0; block < blocks; ++block) {
      keys_.push_back(memory_.data() + 2 * block * bytes);
      values_.push_back(memory_.data() + (2 * block + 1) * bytes);
    }
    std::vector<float> row(head_dim);
    for (std::size_t position = 0; position < blocks * block_tokens; ++position) {
      for (int d = 0; d < head_dim; ++d) {
        row[d] = 0.125f + static_cast<float>((position * head_dim + d) * 7919 % 97) / 256;
      }
      std::byte* keys = memory_.data() + 2 * (position / block_tokens) * bytes;
      attention_kernel(Isa::ref, type)
          ->write(row.data(), row.data(), head_dim, static_cast<int>(position % block_tokens), keys,
                  keys + bytes);
    }
  }

  const void* const* keys() const { return keys_.data(); }
  const void* const* values() const { return values_.data(); }

 private:
  AlignedBuffer memory_;
  std::vector<const void*> keys_;
  std::vector<const void*> values_;
};

/// arguments: head_dim, context before the queries, queries, heads of the group
void attention(benchmark::State& state, Isa isa, DType type) {
  if (isa > widest_isa()) return state.SkipWithError("this machine does not offer it");
  const int dim = static_cast<int>(state.range(0));
  const int before = static_cast<int>(state.range(1));
  const int queries = static_cast<int>(state.range(2));
  const int heads = static_cast<int>(state.range(3));
  const Cache cache(type, before + queries, dim);
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
  const AttentionKernel& kernel = *attention_kernel(isa, type);
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
  state.counters["cache B/s"] = benchmark::Counter(
      rounds * (before + queries) * 2 * static_cast<double>(*row_bytes(type, dim)),
      benchmark::Counter::kIsRate);
}

void shapes(benchmark::internal::Benchmark* bench) {
  for (int heads : {1, 4, 8}) bench->Args({256, 4095, 1, heads});
  bench->Args({128, 32767, 1, 4})->Args({64, 511, 1, 4});
  bench->Args({256, 0, 512, 4})->Args({128, 0, 512, 4})->Args({64, 0, 512, 8});
  bench->Args({80, 0, 512, 1})->Args({128, 2048, 16, 4});
}
#define PREMISE_BENCH(type, isa)                                \
  BENCHMARK_CAPTURE(attention, type.isa, Isa::isa, DType::type) \
      ->Apply(shapes)                                           \
      ->Unit(benchmark::kMicrosecond)
PREMISE_BENCH(f16, avx512);
PREMISE_BENCH(f16, avx2);
PREMISE_BENCH(q8_0, avx512);
PREMISE_BENCH(q8_0, avx2);
PREMISE_BENCH(f32, avx512);
PREMISE_BENCH(f32, avx2);

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
