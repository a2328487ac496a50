// Decoding reads weights once a token: the figure is GB/s of packed bytes, beside what the machine
// reads at all (BM_ReadBandwidth). Prefill computes: the figure is multiplications and additions a
// second, beside what the dot product instruction can do.
#include <benchmark/benchmark.h>

#include "numerics/kernels/matmul_testing.h"

namespace premise {
namespace {

using namespace matmul_testing;

struct Shape2 {
  std::uint64_t rows;
  std::uint64_t columns;
};

// Random bytes are as good as random blocks for speed; scales that happen to be NaN cost the same.
struct Workload {
  Workload(DType dtype, Shape2 shape, std::size_t token_count, Isa isa)
      : memory(packed_bytes(dtype, shape.rows, shape.columns).value()),
        matrix(view_of(dtype, shape.rows, shape.columns, memory.data())),
        x([&] {
          Random random(1);
          return random_activations(token_count * shape.columns, random);
        }()),
        input(quantize(isa, x, token_count, shape.columns)),
        kernel(*matmul_kernel(isa, matrix.layout)),
        scratch(kernel.scratch_bytes),
        y(token_count * shape.rows),
        tokens(token_count) {
    Random random(2);
    for (std::size_t at = 0; at + 4 <= memory.size(); at += 4) {
      const std::uint32_t word = static_cast<std::uint32_t>(random()) & 0x2f2f2f2fu;
      std::memcpy(memory.data() + at, &word, sizeof word);
    }
  }
  void run() {
    kernel.run(matrix, 0, panel_count(matrix.rows), input.activations, tokens, y.data(),
               matrix.rows, scratch.data());
    benchmark::ClobberMemory();
  }
  double operations() const {
    return 2.0 * static_cast<double>(matrix.rows * matrix.columns) * static_cast<double>(tokens);
  }

  AlignedBytes memory;
  PackedMatrix matrix;
  std::vector<float> x;
  Input input;
  const MatmulKernel& kernel;
  AlignedBytes scratch;
  std::vector<float> y;
  std::size_t tokens;
};

void BM_Matmul(benchmark::State& state, DType dtype, Shape2 shape, std::size_t tokens, Isa isa) {
  Workload work(dtype, shape, tokens, isa);
  for (auto _ : state) work.run();
  const auto iterations = static_cast<double>(state.iterations());
  state.counters["GB/s"] = benchmark::Counter(
      static_cast<double>(work.memory.size()) * iterations / 1e9, benchmark::Counter::kIsRate);
  state.counters["GOPS"] =
      benchmark::Counter(work.operations() * iterations / 1e9, benchmark::Counter::kIsRate);
}

// One plain stream of vector-wide sums by the compiler, far beyond the caches.
void BM_ReadBandwidth(benchmark::State& state) {
  std::vector<std::uint64_t> words(std::size_t{64} << 20 >> 1, 1);
  std::uint64_t sum = 0;
  for (auto _ : state) {
    std::uint64_t lanes[16] = {};
    for (std::size_t i = 0; i < words.size(); i += 16) {
      __builtin_prefetch(words.data() + i + 512);
      __builtin_prefetch(words.data() + i + 520);
      for (std::size_t j = 0; j < 16; ++j) lanes[j] += words[i + j];
    }
    for (const std::uint64_t lane : lanes) sum += lane;
    benchmark::DoNotOptimize(sum);
  }
  state.counters["GB/s"] = benchmark::Counter(
      static_cast<double>(words.size() * 8) * static_cast<double>(state.iterations()) / 1e9,
      benchmark::Counter::kIsRate);
}
BENCHMARK(BM_ReadBandwidth);

void BM_Pack(benchmark::State& state, DType dtype) {
  Random random(3);
  const RandomTensor source = random_tensor(dtype, 1024, 2048, random);
  AlignedBytes memory(packed_bytes(dtype, 1024, 2048).value());
  for (auto _ : state) {
    pack_panels(source.view, 0, 64, memory.data());
    benchmark::ClobberMemory();
  }
  state.counters["GB/s"] = benchmark::Counter(
      static_cast<double>(source.bytes.size()) * static_cast<double>(state.iterations()) / 1e9,
      benchmark::Counter::kIsRate);
}

void BM_Quantize(benchmark::State& state, Isa isa) {
  Random random(4);
  const std::vector<float> x = random_activations(2048, random);
  const AlignedBytes memory(quantized_bytes(1, 2048));
  const QuantizedRows rows = quantized_rows_at(memory.data(), 1, 2048);
  for (auto _ : state) {
    quantize_kernel(isa).run(x.data(), x.size(), ActivationBits::sixteen, rows, 0);
    benchmark::ClobberMemory();
  }
}

void register_matmul(DType dtype, Shape2 shape, std::size_t tokens, Isa isa) {
  const std::string name = fmt::format("{}/{}/{}x{}/tokens:{}", name_of(isa), traits(dtype).name,
                                       shape.rows, shape.columns, tokens);
  benchmark::RegisterBenchmark(name.c_str(), BM_Matmul, dtype, shape, tokens, isa)
      ->Unit(benchmark::kMillisecond);
}

const bool registered = [] {
  for (const DType dtype : computed_dtypes())
    benchmark::RegisterBenchmark(fmt::format("pack/{}", traits(dtype).name).c_str(), BM_Pack,
                                 dtype);
  for (const Isa isa : {Isa::avx2, Isa::avx512}) {
    if (isa > widest_isa()) continue;
    register_matmul(DType::q4_k, {512, 1024}, 1, isa);  // within the second-level cache
    benchmark::RegisterBenchmark(fmt::format("{}/quantize/2048", name_of(isa)).c_str(), BM_Quantize,
                                 isa);
    register_matmul(DType::q8_0, {262144, 640}, 1, isa);
    register_matmul(DType::q5_0, {2048, 640}, 1, isa);
    for (const DType dtype : computed_dtypes()) {
      if (matmul_kernel(isa, packed_format(dtype)->layout) == nullptr) continue;
      register_matmul(dtype, {8192, 2048}, 1, isa);
      register_matmul(dtype, {2048, 2048}, 512, isa);
    }
    for (const DType dtype : {DType::q4_k, DType::q5_0, DType::q6_k, DType::q8_0}) {
      for (const std::size_t tokens : {2u, 4u, 5u, 8u, 16u, 24u, 64u})
        register_matmul(dtype, {8192, 2048}, tokens, isa);
      for (const std::size_t tokens : {1u, 512u})
        register_matmul(dtype, {18944, 3584}, tokens, isa);
    }
  }
  return true;
}();

}  // namespace
}  // namespace premise
