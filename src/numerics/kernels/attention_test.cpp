// One body for every instruction set, element type of the cache, size and option: the vectorized
// kernels against the scalar one, which computes in double; and against themselves, however the
// work is cut.
#include "numerics/kernels/attention.h"

#include <bit>
#include <limits>
#include <string>

#include "numerics/kernels/attention_testing.h"

namespace premise {
namespace {

using namespace testing_attention;

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

  void compare(const Case& asked) const {
    const Case c = fitting(type(), asked);
    const Fixture fixture(type(), c);
    const std::vector<float> expected = fixture.run_all(reference());
    const std::vector<float> actual = fixture.run_all(kernel());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      // Values are normal: the largest seen is about 4.
      ASSERT_NEAR(actual[i], expected[i], 4 * attention_tolerance) << c << " at " << i;
    }
  }

  /// The law: however queries and heads are cut into calls, every bit stays.
  void compare_cuts(const Case& asked) const {
    const Case c = fitting(type(), asked);
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
  const Case c = fitting(type(), {.head_dim = 40, .group_heads = 2});
  const Fixture fixture(type(), c);
  const std::vector<float> out = fixture.run_all(kernel());
  EXPECT_TRUE(std::equal(out.begin(), out.begin() + c.head_dim, out.begin() + c.head_dim))
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
  Case c =
      fitting(type(), {.head_dim = 48, .first_position = 130, .query_count = 9, .group_heads = 2});
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

/// The bytes that a number becomes, F16 or F32.
std::vector<std::byte> stored(DType type, float x) {
  std::vector<std::byte> bytes(cache_bytes(type, 1));
  const std::uint16_t half = f32_to_f16(x);
  std::memcpy(bytes.data(), type == DType::f16 ? static_cast<const void*>(&half) : &x,
              bytes.size());
  return bytes;
}

TEST_P(Attention, WritesEveryNumberAsItsTypeRoundsIt) {
  if (type() == DType::q8_0) GTEST_SKIP() << "numbers share a scale: EightBitCache has its laws";
  const std::vector<float> x = numbers_around_halves();
  const auto dim = static_cast<std::int32_t>(x.size());
  const std::size_t size = cache_bytes(type(), 1);
  std::vector<std::byte> keys(x.size() * 16 * size), values(keys.size());
  kernel().write(x.data(), x.data(), dim, 0, keys.data(), values.data());
  for (std::size_t d = 0; d < x.size(); ++d) {
    const std::vector<std::byte> expected = stored(type(), x[d]);
    ASSERT_EQ(std::memcmp(keys.data() + d * 16 * size, expected.data(), size), 0) << "key " << x[d];
    ASSERT_EQ(std::memcmp(values.data() + d * size, expected.data(), size), 0) << "value " << x[d];
  }
}

TEST_P(Attention, WritesToOnePlaceAndTouchesNoOther) {
  if (type() == DType::q8_0) GTEST_SKIP() << "tiles of their own: EightBitCache has its laws";
  constexpr int block_tokens = 32;
  const std::size_t size = cache_bytes(type(), 1);
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
TEST_P(Attention, ACacheOfF32GivesTheSameBitsOverNumbersThatTheTypeHolds) {
  for (const Case& shape : several_shapes) {
    const Case c = fitting(type(), shape);
    const std::vector<float> f32 =
        Fixture(DType::f32, c, type()).run_all(*attention_kernel(isa(), DType::f32));
    EXPECT_TRUE(same_bits(f32, Fixture(type(), c).run_all(kernel()))) << c;
  }
}

class AttentionOf : public testing::TestWithParam<DType> {};

TEST_P(AttentionOf, Avx2AndAvx512AgreeBitForBit) {
  if (widest_isa() < Isa::avx512) GTEST_SKIP() << "this machine does not offer avx512";
  for (const Case& shape : several_shapes) {
    const Case c = fitting(GetParam(), shape);
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

constexpr DType types[] = {DType::f16, DType::f32, DType::q8_0};

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
