#include "synth/weight_pool.h"

#include <algorithm>
#include <cstring>

#include "numerics/quant/encode.h"

namespace premise {
namespace {

// 4,096 blocks of 256: rows of two blocks and more are not likely to be equal, of which there are
// 2^24 and more.
constexpr std::size_t pool_elements = std::size_t{1} << 20;
constexpr std::size_t row_elements = 4096;
constexpr std::size_t plain_run = 32;

}  // namespace

Result<WeightPool> WeightPool::create(DType dtype, float deviation, SplitMix64& random) {
  const DTypeTraits& t = traits(dtype);
  const std::size_t row_size = row_bytes(dtype, row_elements).value_or(0);
  WeightPool pool;
  pool.run_bytes_ = t.block_elements == 1 ? plain_run * t.block_bytes : t.block_bytes;
  pool.bytes_.resize(pool_elements / row_elements * row_size);
  std::vector<float> row(row_elements);
  for (std::size_t at = 0; at < pool.bytes_.size(); at += row_size) {
    for (float& value : row) value = deviation * random.normal();
    PREMISE_CHECK(encode_row(dtype, row, std::span(pool.bytes_).subspan(at, row_size)));
  }
  return pool;
}

void WeightPool::draw(std::span<std::byte> out, SplitMix64& random) const {
  const std::size_t runs = bytes_.size() / run_bytes_;
  while (!out.empty()) {
    const std::size_t size = std::min(run_bytes_, out.size());
    std::memcpy(out.data(), bytes_.data() + random.below(runs) * run_bytes_, size);
    out = out.subspan(size);
  }
}

}  // namespace premise
