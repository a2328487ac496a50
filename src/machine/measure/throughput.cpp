#include "machine/measure/throughput.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>

#include "machine/measure/stopwatch.h"
#include "numerics/device/memory.h"
#include "numerics/device/thread_team.h"
#include "numerics/kernels/matmul.h"
#include "numerics/kernels/usable_isa.h"

namespace premise {
namespace {

// Of each thread: 128 rows of 1024 columns take 136 KiB as Q8_0 and 256 KiB as BF16, which fits the
// second cache of every processor with AVX2 but the oldest, beside 64 rows of activations.
constexpr std::uint64_t rows_per_thread = 128;
constexpr std::uint64_t columns = 1024;
constexpr std::uint64_t batch = 64;

/// Weights of one type, packed. Their values do not matter to the speed, as long as they are no
/// denormal numbers.
class Weights {
 public:
  static Result<Weights> create(DType dtype, std::uint64_t rows) {
    Weights weights;
    const std::uint64_t row = row_bytes(dtype, columns).value_or(0);
    std::vector<std::byte> source(static_cast<std::size_t>(rows * row));
    fill(dtype, source);
    PREMISE_TRY(const std::uint64_t bytes, packed_bytes(dtype, rows, columns));
    PREMISE_TRY(weights.memory_, AlignedBuffer::allocate(static_cast<std::size_t>(bytes)));
    const TensorView view{
        .dtype = dtype, .shape = {.dims = {rows, columns, 1, 1}, .rank = 2}, .bytes = source};
    pack_panels(view, 0, panel_count(rows), weights.memory_.data());
    weights.matrix_ = view_of(dtype, rows, columns, weights.memory_.data());
    return weights;
  }

  const PackedMatrix& matrix() const { return matrix_; }

 private:
  static void fill(DType dtype, std::span<std::byte> bytes) {
    const std::uint16_t one = dtype == DType::bf16 ? 0x3f80 : 0x3c00;  // 1 as bf16, as f16
    const std::size_t block = traits(dtype).block_bytes;
    for (std::size_t at = 0; at < bytes.size(); at += block) {
      std::memcpy(&bytes[at], &one, sizeof one);
      for (std::size_t i = sizeof one; i < block; ++i)
        bytes[at + i] = static_cast<std::byte>((at + i * 37) & 63);
    }
  }

  AlignedBuffer memory_;
  PackedMatrix matrix_{};
};

/// One product of the shape above on every thread, over and over.
class Bench {
 public:
  static Result<Bench> create(ThreadTeam& team, DType dtype) {
    const auto rows = static_cast<std::uint64_t>(team.size()) * rows_per_thread;
    PREMISE_TRY(Weights weights, Weights::create(dtype, rows));
    Bench bench(team, std::move(weights), rows);
    PREMISE_TRY(bench.inputs_, AlignedBuffer::allocate(batch * columns * sizeof(float)));
    PREMISE_TRY(bench.codes_,
                AlignedBuffer::allocate(static_cast<std::size_t>(quantized_bytes(batch, columns))));
    PREMISE_TRY(bench.tiles_,
                AlignedBuffer::allocate(static_cast<std::size_t>(tile_rows_bytes(batch, columns))));
    PREMISE_TRY(bench.outputs_,
                AlignedBuffer::allocate(static_cast<std::size_t>(batch * rows * sizeof(float))));
    float* x = reinterpret_cast<float*>(bench.inputs_.data());
    for (std::size_t i = 0; i < batch * columns; ++i)
      x[i] = static_cast<float>(i % 97) * 0.01f - 0.48f;
    return bench;
  }

  /// Operations a second with `isa`, best of several rounds; 0 where it has no kernel.
  Result<double> run(Isa isa, double seconds) {
    const PackedMatrix& matrix = weights_.matrix();
    const MatmulKernel* on_tiles = tile_kernel(isa, matrix.layout);
    const MatmulKernel* kernel = on_tiles ? on_tiles : matmul_kernel(isa, matrix.layout);
    if (kernel == nullptr) return 0.0;
    const std::size_t scratch_each = (kernel->scratch_bytes + 63) / 64 * 64;
    PREMISE_TRY(AlignedBuffer scratch,
                AlignedBuffer::allocate(std::max<std::size_t>(
                    64, scratch_each * static_cast<std::size_t>(team_.size()))));
    const float* x = reinterpret_cast<const float*>(inputs_.data());
    const Activations input{.x = x,
                            .x_stride = columns,
                            .quantized = quantized_rows_at(codes_.data(), batch, columns),
                            .tiles = tile_rows_at(tiles_.data(), columns)};
    if (kernel->activations == ActivationKind::int16) {
      for (std::size_t row = 0; row < batch; ++row)
        quantize_kernel(isa).run(x + row * columns, columns, ActivationBits::sixteen,
                                 input.quantized, row);
    }
    if (kernel->activations == ActivationKind::bf16) {
      for (std::size_t row = 0; row < batch; ++row)
        round_kernel().run(x + row * columns, columns, input.tiles, row);
    }
    float* y = reinterpret_cast<float*>(outputs_.data());
    double shortest = std::numeric_limits<double>::infinity();
    const SteadyClock::time_point start = SteadyClock::now();
    do {
      const SteadyClock::time_point round = SteadyClock::now();
      team_.run([&](int index) {
        const Range panels =
            split(static_cast<std::size_t>(panel_count(rows_)), team_.size(), index);
        for (int i = 0; i < repetitions; ++i) {
          kernel->run(matrix, panels.first, panels.last, input, batch, y, rows_,
                      scratch.data() + scratch_each * static_cast<std::size_t>(index));
        }
      });
      shortest = std::min(shortest, seconds_since(round));
    } while (seconds_since(start) < seconds);
    return 2.0 * static_cast<double>(rows_ * columns * batch) * repetitions / shortest;
  }

 private:
  // A round of about a millisecond on AVX-512, so that waking the threads does not count.
  static constexpr int repetitions = 16;

  Bench(ThreadTeam& team, Weights weights, std::uint64_t rows)
      : team_(team), weights_(std::move(weights)), rows_(rows) {}

  ThreadTeam& team_;
  Weights weights_;
  std::uint64_t rows_;
  AlignedBuffer inputs_;
  AlignedBuffer codes_;
  AlignedBuffer tiles_;
  AlignedBuffer outputs_;
};

}  // namespace

Result<Throughput> measure_throughput(int threads, double seconds,
                                      const std::function<bool()>& stop) {
  Throughput found;
  PREMISE_TRY(const UsableIsa usable, usable_isa(std::nullopt));
  const Isa widest = usable.isa;
  PREMISE_TRY(const auto team, ThreadTeam::create(threads));
  for (const auto& [dtype, rates] :
       {std::pair{DType::q8_0, &found.int8_ops}, std::pair{DType::bf16, &found.bf16_flops}}) {
    PREMISE_TRY(Bench bench, Bench::create(*team, dtype));
    for (const Isa isa : {Isa::avx2, Isa::avx512, Isa::amx}) {
      if (isa > widest) break;
      if (stop && stop()) return found;
      PREMISE_TRY(const double rate, bench.run(isa, seconds));
      if (rate > 0) rates->push_back({std::string(name_of(isa)), rate});
    }
  }
  return found;
}

}  // namespace premise
