// One body for every instruction set, element type of the cache, size and option: the vectorized
// kernels against the scalar one, which computes in double; and against themselves, however the
// work is cut.
#include "numerics/kernels/attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "numerics/device/memory.h"
#include "numerics/quant/half.h"

namespace premise {
namespace {

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

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << "head_dim " << c.head_dim << " first " << c.first_position << " queries "
             << c.query_count << " heads " << c.group_heads << " window " << c.window << " softcap "
             << c.softcap << " block " << c.block_tokens;
}

constexpr std::byte garbage{0xff};  // a NaN in both types: must never reach a result

std::size_t element_bytes(DType type) { return traits(type).block_bytes; }

/// A cache with keys and values up to the last query, blocks outside every window null, everything
/// else NaN; and the queries. Numbers are the same for every type before they are written; with
/// `halves` they are such that F16 holds them.
class Fixture {
 public:
  Fixture(DType type, const Case& c, bool halves = false)
      : case_(c), context_(c.first_position + c.query_count) {
    std::mt19937 random(c.head_dim * 131 + c.first_position * 7 + c.query_count);
    std::normal_distribution<float> normal(0, 1);
    const int blocks = (context_ + c.block_tokens - 1) / c.block_tokens;
    const int oldest = c.window > 0 ? std::max(0, c.first_position - c.window + 1) : 0;
    const std::size_t block_bytes = element_bytes(type) * c.block_tokens * c.head_dim;
    memory_.resize(2 * blocks);
    std::vector<float> key(c.head_dim);
    std::vector<float> value(c.head_dim);
    for (int block = oldest / c.block_tokens; block < blocks; ++block) {
      for (int part : {0, 1}) memory_[2 * block + part].assign(block_bytes, garbage);
      for (int slot = 0; slot < c.block_tokens; ++slot) {
        const int position = block * c.block_tokens + slot;
        if (position < oldest || position >= context_) continue;
        for (std::vector<float>* row : {&key, &value})
          for (float& x : *row)
            x = halves ? f16_to_f32(f32_to_f16(normal(random))) : normal(random);
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

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

class Attention : public testing::TestWithParam<std::tuple<Isa, DType>> {
 protected:
  void SetUp() override {
    if (isa() > widest_isa()) GTEST_SKIP() << "this machine does not offer " << name_of(isa());
    ASSERT_NE(attention_kernel(isa(), type()), nullptr);
  }
  static Isa isa() { return std::get<0>(GetParam()); }
  static DType type() { return std::get<1>(GetParam()); }
  static const AttentionKernel& kernel() { return *attention_kernel(isa(), type()); }
  static const AttentionKernel& reference() { return *attention_kernel(Isa::ref, type()); }

  void compare(const Case& c) const {
    const Fixture fixture(type(), c);
    const std::vector<float> expected = fixture.run_all(reference());
    const std::vector<float> actual = fixture.run_all(kernel());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      // Values are normal: the largest seen is about 4.
      ASSERT_NEAR(actual[i], expected[i], 4 * attention_tolerance) << c << " at " << i;
    }
  }

  /// The law: however queries and heads are cut into calls, every bit stays.
  void compare_cuts(const Case& c) const {
    const Fixture fixture(type(), c);
    const std::vector<float> whole = fixture.run_all(kernel());
    for (int piece : {1, 2, 3, 7, 16, 33, 64}) {
      if (piece >= c.query_count && piece > 1) continue;
      std::vector<float> out(whole.size(), 0.0f);
      for (int first = 0; first < c.query_count; first += piece) {
        fixture.run(kernel(), first, std::min(piece, c.query_count - first), 0, c.group_heads, out);
      }
      ASSERT_TRUE(same_bits(whole, out)) << c << " in pieces of " << piece << " queries";
    }
    for (int heads = 1; heads < c.group_heads; ++heads) {
      std::vector<float> out(whole.size(), 0.0f);
      for (int head = 0; head < c.group_heads; head += heads) {
        fixture.run(kernel(), 0, c.query_count, head, std::min(heads, c.group_heads - head), out);
      }
      ASSERT_TRUE(same_bits(whole, out)) << c << " in groups of " << heads << " heads";
    }
  }
};

TEST_P(Attention, NamesItself) {
  EXPECT_EQ(kernel().name, fmt::format("attention.{}.{}", traits(type()).name, name_of(isa())));
}

TEST_P(Attention, TheFirstTokenSeesOnlyItself) {
  const Case c{.head_dim = 40, .group_heads = 2};
  const Fixture fixture(type(), c);
  const std::vector<float> out = fixture.run_all(kernel());
  EXPECT_TRUE(std::equal(out.begin(), out.begin() + 40, out.begin() + 40))
      << "with one visible position the value is the result, whatever the query";
}

TEST_P(Attention, DecodeAtEveryContextLength) {
  for (int context = 1; context <= 140; ++context) {
    compare({.head_dim = 24, .first_position = context - 1, .group_heads = 1 + context % 8});
  }
}

TEST_P(Attention, EveryHeadDimension) {
  for (int head_dim : {8, 16, 24, 32, 40, 48, 64, 72, 80, 96, 104, 128, 136, 192, 256, 264}) {
    compare({.head_dim = head_dim, .first_position = 76, .group_heads = 3});
    compare({.head_dim = head_dim, .first_position = 5, .query_count = 37, .group_heads = 2});
  }
}

TEST_P(Attention, PrefillOfEveryLength) {
  for (int queries = 1; queries <= 70; ++queries) {
    compare({.head_dim = 16, .first_position = queries % 5 * 29, .query_count = queries});
  }
}

TEST_P(Attention, EveryGroupSize) {
  for (int heads = 1; heads <= 9; ++heads) {
    compare({.head_dim = 32, .first_position = 100, .query_count = 1, .group_heads = heads});
    compare({.head_dim = 32, .first_position = 30, .query_count = 50, .group_heads = heads});
  }
}

TEST_P(Attention, WindowsHideWhatIsOldEvenWhereBlocksAreGone) {
  for (int window : {1, 2, 15, 16, 17, 63, 64, 65, 100, 512}) {
    compare({.head_dim = 24, .first_position = 150, .group_heads = 2, .window = window});
    compare({.head_dim = 24, .first_position = 150, .query_count = 90, .window = window});
    compare({.head_dim = 24, .query_count = 150, .group_heads = 2, .window = window});
  }
}

TEST_P(Attention, SoftcapAndBlockSizes) {
  for (int block_tokens : {16, 32, 48, 64, 128, 256}) {
    compare({.head_dim = 40,
             .first_position = 71,
             .query_count = 20,
             .group_heads = 2,
             .softcap = 2.5f,
             .block_tokens = block_tokens});
  }
}

TEST_P(Attention, LongContext) {
  compare({.head_dim = 64, .first_position = 4999, .group_heads = 4, .block_tokens = 64});
  compare({.head_dim = 128, .first_position = 900, .query_count = 200, .group_heads = 2});
}

TEST_P(Attention, CutsDoNotChangeABit) {
  compare_cuts({.head_dim = 24, .query_count = 100, .group_heads = 3});
  compare_cuts({.head_dim = 72, .first_position = 61, .query_count = 70, .group_heads = 8});
  compare_cuts(
      {.head_dim = 64, .first_position = 200, .query_count = 40, .group_heads = 4, .window = 50});
  compare_cuts({.head_dim = 40,
                .first_position = 10,
                .query_count = 150,
                .group_heads = 2,
                .window = 70,
                .softcap = 3});
  compare_cuts({.head_dim = 256, .first_position = 100, .query_count = 65, .group_heads = 4});
  compare_cuts({.head_dim = 8, .first_position = 3, .query_count = 300});
}

TEST_P(Attention, TheSizeOfBlocksDoesNotChangeABit) {
  Case c{.head_dim = 48, .first_position = 130, .query_count = 9, .group_heads = 2};
  const std::vector<float> once = Fixture(type(), c).run_all(kernel());
  for (int block_tokens : {16, 48, 256}) {
    c.block_tokens = block_tokens;
    EXPECT_TRUE(same_bits(once, Fixture(type(), c).run_all(kernel()))) << block_tokens;
  }
}

/// Every half, the middle between it and the next, the floats beside that middle, and what lies
/// outside of F16; as many as make a head dimension.
std::vector<float> numbers_around_halves() {
  std::vector<float> x;
  for (std::uint32_t half = 0; half < 0x7c00; half += 7) {
    const std::uint32_t bits =
        half < 0x400 ? std::bit_cast<std::uint32_t>(static_cast<float>(half) * 0x1p-24f)
                     : (half << 13) + (112u << 23);
    for (std::uint32_t offset : {0u, 0xfffu, 0x1000u, 0x1001u}) {
      x.push_back(std::bit_cast<float>(bits + offset));
      x.push_back(-x.back());
    }
  }
  const float infinity = std::numeric_limits<float>::infinity();
  x.insert(x.end(),
           {infinity, -infinity, std::nanf(""), 65504, 65519.996f, 65520, 1e30f, 1e-8f, 2.98e-8f});
  x.resize((x.size() + 7) / 8 * 8);
  return x;
}

/// The bytes that a number becomes.
std::vector<std::byte> stored(DType type, float x) {
  std::vector<std::byte> bytes(element_bytes(type));
  const std::uint16_t half = f32_to_f16(x);
  std::memcpy(bytes.data(), type == DType::f16 ? static_cast<const void*>(&half) : &x,
              bytes.size());
  return bytes;
}

TEST_P(Attention, WritesEveryNumberAsItsTypeRoundsIt) {
  const std::vector<float> x = numbers_around_halves();
  const auto dim = static_cast<std::int32_t>(x.size());
  const std::size_t size = element_bytes(type());
  std::vector<std::byte> keys(x.size() * 16 * size), values(keys.size());
  kernel().write(x.data(), x.data(), dim, 0, keys.data(), values.data());
  for (std::size_t d = 0; d < x.size(); ++d) {
    const std::vector<std::byte> expected = stored(type(), x[d]);
    ASSERT_EQ(std::memcmp(keys.data() + d * 16 * size, expected.data(), size), 0) << "key " << x[d];
    ASSERT_EQ(std::memcmp(values.data() + d * size, expected.data(), size), 0) << "value " << x[d];
  }
}

TEST_P(Attention, WritesToOnePlaceAndTouchesNoOther) {
  constexpr int block_tokens = 32;
  const std::size_t size = element_bytes(type());
  std::mt19937 random(11);
  std::normal_distribution<float> normal(0, 2);
  for (int dim : {8, 16, 24, 40, 72, 80, 96, 128, 256}) {
    std::vector<float> key(dim), value(dim);
    for (float& x : key) x = normal(random);
    for (float& x : value) x = normal(random);
    for (int place : {0, 5, 15, 16, 31}) {
      std::vector<std::byte> keys(size * block_tokens * dim, garbage);
      std::vector<std::byte> values = keys, expected_keys = keys, expected_values = keys;
      kernel().write(key.data(), value.data(), dim, place, keys.data(), values.data());
      for (int d = 0; d < dim; ++d) {
        const std::size_t at_key = std::size_t{1} * place / 16 * 16 * dim + d * 16 + place % 16;
        const std::size_t at_value = std::size_t{1} * place * dim + d;
        std::ranges::copy(stored(type(), key[d]), expected_keys.data() + at_key * size);
        std::ranges::copy(stored(type(), value[d]), expected_values.data() + at_value * size);
      }
      ASSERT_EQ(keys, expected_keys) << dim << " at " << place;
      ASSERT_EQ(values, expected_values) << dim << " at " << place;
    }
  }
}

const Case several_shapes[] = {
    {.head_dim = 72, .first_position = 300, .group_heads = 5},
    {.head_dim = 80, .query_count = 133, .group_heads = 3, .window = 90},
    {.head_dim = 64, .query_count = 70, .group_heads = 2, .softcap = 4},
};

/// The law: a type decides what is kept, never how it is computed with.
TEST_P(Attention, TypesAgreeBitForBitOverNumbersThatF16Holds) {
  for (const Case& c : several_shapes) {
    const std::vector<float> f32 =
        Fixture(DType::f32, c, true).run_all(*attention_kernel(isa(), DType::f32));
    EXPECT_TRUE(same_bits(f32, Fixture(type(), c, true).run_all(kernel()))) << c;
  }
}

class AttentionOf : public testing::TestWithParam<DType> {};

TEST_P(AttentionOf, Avx2AndAvx512AgreeBitForBit) {
  if (widest_isa() < Isa::avx512) GTEST_SKIP() << "this machine does not offer avx512";
  for (const Case& c : several_shapes) {
    const Fixture fixture(GetParam(), c);
    EXPECT_TRUE(same_bits(fixture.run_all(*attention_kernel(Isa::avx2, GetParam())),
                          fixture.run_all(*attention_kernel(Isa::avx512, GetParam()))))
        << c;
  }
}

TEST(AttentionTypes, WhatNoKernelTakesHasNone) {
  for (const Isa isa : {Isa::ref, Isa::avx2, Isa::avx512})
    EXPECT_EQ(attention_kernel(isa, DType::bf16), nullptr);
}

constexpr DType types[] = {DType::f16, DType::f32};

INSTANTIATE_TEST_SUITE_P(All, Attention,
                         testing::Combine(testing::Values(Isa::ref, Isa::avx2, Isa::avx512),
                                          testing::ValuesIn(types)),
                         [](const auto& each) {
                           return fmt::format("{}_{}", name_of(std::get<0>(each.param)),
                                              traits(std::get<1>(each.param)).name);
                         });
INSTANTIATE_TEST_SUITE_P(All, AttentionOf, testing::ValuesIn(types),
                         [](const auto& each) { return std::string(traits(each.param).name); });

}  // namespace
}  // namespace premise
