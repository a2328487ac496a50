// What tests of attention share: a cache with keys and values, and the queries that look at it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <ostream>
#include <random>
#include <vector>

#include "numerics/device/memory.h"
#include "numerics/kernels/attention.h"
#include "numerics/quant/half.h"

namespace premise::testing_attention {

/// What a call computes, without where things lie.
struct Case {
  int head_dim = 64;
  int first_position = 0;
  int query_count = 1;
  int group_heads = 1;
  int window = 0;
  float softcap = 0;
  int block_tokens = 32;
};

inline std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << "head_dim " << c.head_dim << " first " << c.first_position << " queries "
             << c.query_count << " heads " << c.group_heads << " window " << c.window << " softcap "
             << c.softcap << " block " << c.block_tokens;
}

inline constexpr std::byte garbage{
    0xff};  // a NaN in F16 and F32, and as a scale: must never reach a result

inline std::size_t cache_bytes(DType type, std::size_t elements) {
  return *row_bytes(type, elements);
}

/// The case as a cache of `type` takes it: heads of whole blocks.
inline Case fitting(DType type, Case c) {
  const int block = static_cast<int>(traits(type).block_elements);
  c.head_dim = (c.head_dim + block - 1) / block * block;
  return c;
}

/// Of a tile of a Q8_0 cache: the scale of dimension d at `place`, and a number of the value at 0.
inline std::uint16_t scale_at(const std::byte* tile, std::size_t d, std::size_t place) {
  std::uint16_t half = 0;
  std::memcpy(&half, tile + 2 * (d / 32 * 16 + place), sizeof(half));
  return half;
}
inline float scaled_value(const std::byte* tile, std::size_t head_dim, std::size_t d) {
  return f16_to_f32(scale_at(tile, d, 0)) * static_cast<std::int8_t>(tile[head_dim + d]);
}

/// `row` rounded to numbers that a type of cache holds.
inline void round_as(DType type, std::vector<float>& row) {
  const auto dim = static_cast<std::int32_t>(row.size());
  if (type == DType::f16)
    for (float& x : row) x = f16_to_f32(f32_to_f16(x));
  if (type != DType::q8_0) return;
  std::vector<std::byte> keys(cache_bytes(type, 16 * row.size())), values(keys.size());
  attention_kernel(Isa::ref, type)
      ->write(row.data(), row.data(), dim, 0, keys.data(), values.data());
  for (std::size_t d = 0; d < row.size(); ++d) row[d] = scaled_value(values.data(), row.size(), d);
}

/// A cache with keys and values up to the last query, blocks outside every window null, everything
/// else NaN; and the queries. Numbers are the same for every type before they are written: those
/// that `rounded` holds.
class Fixture {
 public:
  Fixture(DType type, const Case& c, DType rounded = DType::f32)
      : case_(c), context_(c.first_position + c.query_count) {
    std::mt19937 random(c.head_dim * 131 + c.first_position * 7 + c.query_count);
    std::normal_distribution<float> normal(0, 1);
    const int blocks = (context_ + c.block_tokens - 1) / c.block_tokens;
    const int oldest = c.window > 0 ? std::max(0, c.first_position - c.window + 1) : 0;
    const std::size_t block_bytes = cache_bytes(type, std::size_t{1} * c.block_tokens * c.head_dim);
    memory_.resize(2 * blocks);
    std::vector<float> key(c.head_dim);
    std::vector<float> value(c.head_dim);
    for (int block = oldest / c.block_tokens; block < blocks; ++block) {
      for (int part : {0, 1}) memory_[2 * block + part].assign(block_bytes, garbage);
      for (int slot = 0; slot < c.block_tokens; ++slot) {
        const int position = block * c.block_tokens + slot;
        if (position < oldest || position >= context_) continue;
        for (std::vector<float>* row : {&key, &value}) {
          for (float& x : *row) x = normal(random);
          round_as(rounded, *row);
        }
        attention_kernel(Isa::ref, type)
            ->write(key.data(), value.data(), c.head_dim, slot, memory_[2 * block].data(),
                    memory_[2 * block + 1].data());
      }
    }
    for (int block = 0; block < blocks; ++block) {
      keys_.push_back(memory_[2 * block].empty() ? nullptr : memory_[2 * block].data());
      values_.push_back(memory_[2 * block].empty() ? nullptr : memory_[2 * block + 1].data());
    }
    queries_.resize(std::size_t{1} * c.query_count * c.group_heads * c.head_dim);
    for (float& x : queries_) x = 1.5f * normal(random);
  }

  /// Computes queries [first, first + count) and heads [head, head + heads) into `out`, which has
  /// the shape of all of them.
  void run(const AttentionKernel& kernel, int first, int count, int head, int heads,
           std::vector<float>& out) const {
    const std::size_t offset = (std::size_t{1} * first * case_.group_heads + head) * case_.head_dim;
    const std::size_t stride = std::size_t{1} * case_.group_heads * case_.head_dim;
    const std::size_t dim = case_.head_dim;
    AttentionArgs args{.queries = queries_.data() + offset,
                       .query_stride = stride,
                       .head_stride = dim,
                       .out = out.data() + offset,
                       .out_query_stride = stride,
                       .out_head_stride = dim,
                       .query_count = count,
                       .group_heads = heads,
                       .head_dim = case_.head_dim,
                       .first_position = case_.first_position + first,
                       .window = case_.window,
                       .scale = 1 / std::sqrt(static_cast<float>(case_.head_dim)),
                       .softcap = case_.softcap,
                       .key_blocks = keys_.data(),
                       .value_blocks = values_.data(),
                       .block_tokens = case_.block_tokens,
                       .scratch = nullptr};
    const std::size_t floats = kernel.scratch_floats(args);
    // Exactly as much as asked for, full of NaN: nothing may depend on what was there.
    AlignedBuffer scratch = AlignedBuffer::allocate((floats + 16) * sizeof(float)).value();
    args.scratch = reinterpret_cast<float*>(scratch.data());
    std::fill_n(args.scratch, floats, std::nanf(""));
    std::fill_n(args.scratch + floats, 16, 1234.0f);
    kernel.run(args);
    for (int i = 0; i < 16; ++i) ASSERT_EQ(args.scratch[floats + i], 1234.0f) << "scratch overrun";
  }

  std::vector<float> run_all(const AttentionKernel& kernel) const {
    std::vector<float> out(queries_.size(), 99.0f);
    run(kernel, 0, case_.query_count, 0, case_.group_heads, out);
    return out;
  }

 private:
  Case case_;
  int context_;
  std::vector<std::vector<std::byte>> memory_;
  std::vector<const void*> keys_;
  std::vector<const void*> values_;
  std::vector<float> queries_;
};

}  // namespace premise::testing_attention
