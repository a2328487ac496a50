// Throughput of unpack (what a load-time packer pays) and decode, in bytes of the file per second,
// over 1 MiB of random blocks, wanted: at least 300 MB/s a core; and of encode, in elements a
// second.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include "numerics/quant/decode.h"
#include "numerics/quant/encode.h"
#include "numerics/quant/grouped_block.h"

namespace premise {
namespace {

std::vector<std::byte> random_blocks(const DTypeTraits& t) {
  std::vector<std::byte> bytes((std::size_t{1} << 20) / t.block_bytes * t.block_bytes);
  std::mt19937 random(1);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

void unpack(benchmark::State& state, const GroupedFormat* format) {
  const DTypeTraits& t = traits(format->traits.dtype);
  const std::vector<std::byte> bytes = random_blocks(t);
  GroupedBlock parts;
  for (auto _ : state) {
    for (std::size_t at = 0; at < bytes.size(); at += t.block_bytes) {
      format->unpack(bytes.data() + at, parts);
      benchmark::DoNotOptimize(parts);
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}

void decode(benchmark::State& state, const DTypeTraits* t) {
  const std::vector<std::byte> bytes = random_blocks(*t);
  std::vector<float> out(bytes.size() / t->block_bytes * t->block_elements);
  for (auto _ : state) {
    decode_blocks(t->dtype, bytes.data(), out.data(), out.size());
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}

void encode(benchmark::State& state, const DTypeTraits* t) {
  std::vector<float> row(std::size_t{1} << 12);
  std::mt19937 random(1);
  std::normal_distribution<float> weights(0.0f, 0.02f);
  for (float& value : row) value = weights(random);
  std::vector<std::byte> out(row_bytes(t->dtype, row.size()).value());
  for (auto _ : state) {
    if (!encode_row(t->dtype, row, out)) state.SkipWithError("encode_row failed");
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(row.size()));
}

[[maybe_unused]] const bool registered = [] {
  for (const DTypeTraits& t : all_dtypes()) {
    if (!t.computes) continue;
    const std::string name(t.name);
    if (const GroupedFormat* format = grouped_format(t.dtype))
      benchmark::RegisterBenchmark(("unpack/" + name).c_str(), unpack, format);
    benchmark::RegisterBenchmark(("decode/" + name).c_str(), decode, &t);
    benchmark::RegisterBenchmark(("encode/" + name).c_str(), encode, &t);
  }
  return true;
}();

}  // namespace
}  // namespace premise
