// One body for every instruction set, size and option: the vectorized kernels against the scalar
// one, which computes in double; and against themselves, however the work is cut.
#include "numerics/kernels/attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "numerics/device/memory.h"
#include "numerics/kernels/elementwise.h"

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

constexpr std::uint16_t garbage = 0x7e11;  // a NaN: must never reach a result

/// A cache with keys and values up to the last query, blocks outside every window null, everything
/// else NaN; and the queries.
class Fixture {
 public:
  explicit Fixture(const Case& c) : case_(c), context_(c.first_position + c.query_count) {
    std::mt19937 random(c.head_dim * 131 + c.first_position * 7 + c.query_count);
    std::normal_distribution<float> normal(0, 1);
    const ElementwiseKernels& kernels = elementwise_kernels(Isa::ref);
    const int blocks = (context_ + c.block_tokens - 1) / c.block_tokens;
    const int oldest = c.window > 0 ? std::max(0, c.first_position - c.window + 1) : 0;
    const std::size_t block_elements = std::size_t{1} * c.block_tokens * c.head_dim;
    memory_.resize(2 * blocks);
    std::vector<float> row(c.head_dim);
    for (int block = oldest / c.block_tokens; block < blocks; ++block) {
      for (int part : {0, 1}) memory_[2 * block + part].assign(block_elements, garbage);
      for (int slot = 0; slot < c.block_tokens; ++slot) {
        const int position = block * c.block_tokens + slot;
        if (position < oldest || position >= context_) continue;
        for (float& x : row) x = normal(random);
        kernels.key_to_tile(row.data(), row.size(), slot % 16,
                            memory_[2 * block].data() + slot / 16 * 16 * c.head_dim);
        for (float& x : row) x = normal(random);
        kernels.to_f16(row.data(), row.size(), memory_[2 * block + 1].data() + slot * c.head_dim);
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
  std::vector<std::vector<std::uint16_t>> memory_;
  std::vector<const std::uint16_t*> keys_;
  std::vector<const std::uint16_t*> values_;
  std::vector<float> queries_;
};

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

class Attention : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (GetParam() > widest_isa()) {
      GTEST_SKIP() << "this machine does not offer " << name_of(GetParam());
    }
  }
  const AttentionKernel& kernel() const { return attention_kernel(GetParam()); }

  void compare(const Case& c) const {
    const Fixture fixture(c);
    const std::vector<float> expected = fixture.run_all(attention_kernel(Isa::ref));
    const std::vector<float> actual = fixture.run_all(kernel());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      // Values are normal: the largest seen is about 4.
      ASSERT_NEAR(actual[i], expected[i], 4 * attention_tolerance) << c << " at " << i;
    }
  }

  /// The law: however queries and heads are cut into calls, every bit stays.
  void compare_cuts(const Case& c) const {
    const Fixture fixture(c);
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
  EXPECT_EQ(kernel().name, "attention." + std::string(name_of(GetParam())));
}

TEST_P(Attention, TheFirstTokenSeesOnlyItself) {
  const Case c{.head_dim = 40, .group_heads = 2};
  const Fixture fixture(c);
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
  const std::vector<float> once = Fixture(c).run_all(kernel());
  for (int block_tokens : {16, 48, 256}) {
    c.block_tokens = block_tokens;
    EXPECT_TRUE(same_bits(once, Fixture(c).run_all(kernel()))) << block_tokens;
  }
}

TEST(AttentionGenerations, Avx2AndAvx512AgreeBitForBit) {
  if (widest_isa() < Isa::avx512) GTEST_SKIP() << "this machine does not offer avx512";
  for (const Case& c : {Case{.head_dim = 72, .first_position = 300, .group_heads = 5},
                        Case{.head_dim = 80, .query_count = 133, .group_heads = 3, .window = 90},
                        Case{.head_dim = 64, .query_count = 70, .group_heads = 2, .softcap = 4}}) {
    const Fixture fixture(c);
    EXPECT_TRUE(same_bits(fixture.run_all(attention_kernel(Isa::avx2)),
                          fixture.run_all(attention_kernel(Isa::avx512))))
        << c;
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, Attention, testing::Values(Isa::ref, Isa::avx2, Isa::avx512),
                         [](const auto& isa) { return std::string(name_of(isa.param)); });

}  // namespace
}  // namespace premise
