#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "numerics/kernels/matmul_testing.h"
#include "numerics/quant/decode.h"

namespace premise {
namespace {

using namespace matmul_testing;

std::vector<Isa> vector_isas() {
  std::vector<Isa> out;
  for (const Isa isa : {Isa::avx2, Isa::avx512})
    if (isa <= widest_isa()) out.push_back(isa);
  return out;
}

Layout layout_of(DType dtype) { return packed_format(dtype)->layout; }

void expect_same_bits(std::span<const float> actual, std::span<const float> expected,
                      const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i)
    ASSERT_EQ(std::bit_cast<std::uint32_t>(actual[i]), std::bit_cast<std::uint32_t>(expected[i]))
        << what << " at " << i << ": " << actual[i] << " instead of " << expected[i];
}

std::string described(const MatmulKernel& kernel, DType dtype, std::uint64_t rows,
                      std::uint64_t columns, std::size_t tokens) {
  return fmt::format("{} {} [{}, {}] x {}", kernel.name, traits(dtype).name, rows, columns, tokens);
}

struct Size {
  std::uint64_t rows;
  std::uint64_t columns;  // rounded up to the type's blocks
  std::size_t tokens;
};

// Rows around panels and pairs of panels, columns around chunks, tokens around every tile width.
std::vector<Size> sizes() {
  std::vector<Size> out;
  for (std::size_t tokens = 1; tokens <= 20; ++tokens) out.push_back({50, 96, tokens});
  for (std::uint64_t rows = 1; rows <= 50; ++rows) out.push_back({rows, 64, 1 + rows % 9});
  for (const std::uint64_t columns : {32u, 64u, 96u, 256u, 288u, 512u, 640u, 2048u, 2080u}) {
    out.push_back({33, columns, 1});
    out.push_back({16, columns, 3});
    out.push_back({49, columns, 13});
  }
  out.push_back({40, 1280, 70});
  out.push_back({48, 544, 300});
  return out;
}

std::uint64_t whole_blocks(DType dtype, std::uint64_t columns) {
  const std::uint64_t block = traits(dtype).block_elements;
  return (columns + block - 1) / block * block;
}

class MatmulOfType : public testing::TestWithParam<DType> {};

TEST_P(MatmulOfType, EveryInstructionSetGivesTheSameBits) {
  const DType dtype = GetParam();
  Random random(3);
  for (const Size& size : sizes()) {
    const std::uint64_t columns = whole_blocks(dtype, size.columns);
    const RandomTensor source = random_tensor(dtype, size.rows, columns, random);
    const Packed packed = pack(source.view);
    const std::vector<float> x = uneven_groups(size.tokens * columns, random);
    for (const ActivationBits bits : {ActivationBits::sixteen, ActivationBits::mixed}) {
      const Input input = quantize(Isa::ref, x, size.tokens, columns, bits);
      const MatmulKernel& ref = *matmul_kernel(Isa::ref, layout_of(dtype));
      const auto expected = multiply(ref, packed.matrix, input.activations, size.tokens);
      for (const Isa isa : vector_isas()) {
        const MatmulKernel* kernel = matmul_kernel(isa, layout_of(dtype));
        ASSERT_NE(kernel, nullptr);
        expect_same_bits(multiply(*kernel, packed.matrix, input.activations, size.tokens), expected,
                         described(*kernel, dtype, size.rows, columns, size.tokens));
        if (HasFatalFailure()) return;
      }
    }
  }
}

// The bound of contracts/matmul.h. Float rounding: each product carries a few roundings of 2^-24,
// each sum one per group; with a minimum the two parts may be larger than their difference.
double error_bound(std::span<const float> w, std::span<const float> x, bool quantized) {
  double bound = 0;
  double magnitude = 0;
  for (std::size_t begin = 0; begin < w.size(); begin += 32) {
    double amax = 0, weights = 0, largest = 0;
    for (std::size_t k = begin; k < std::min(w.size(), begin + 32); ++k) {
      amax = std::max(amax, std::abs(static_cast<double>(x[k])));
      largest = std::max(largest, std::abs(static_cast<double>(w[k])));
      weights += std::abs(static_cast<double>(w[k]));
    }
    if (quantized) bound += amax / 65024 * weights;
    magnitude += 32 * largest * amax;
  }
  return bound * 1.0001 + magnitude * 0x1p-24 * (4 + std::sqrt(static_cast<double>(w.size())));
}

TEST_P(MatmulOfType, StaysWithinTheActivationsRounding) {
  const DType dtype = GetParam();
  Random random(4);
  for (const std::uint64_t wanted : {32u, 256u, 640u, 2048u}) {
    const std::uint64_t columns = whole_blocks(dtype, wanted);
    constexpr std::uint64_t rows = 19;
    constexpr std::size_t tokens = 5;
    const RandomTensor source = random_tensor(dtype, rows, columns, random);
    const Packed packed = pack(source.view);
    const std::vector<float> x = random_activations(tokens * columns, random);
    const Input input = quantize(Isa::ref, x, tokens, columns);
    const MatmulKernel& kernel = *matmul_kernel(Isa::ref, layout_of(dtype));
    const auto y = multiply(kernel, packed.matrix, input.activations, tokens);
    std::vector<float> oracle(tokens * rows);
    matmul_reference(source.view, x.data(), tokens, columns, oracle.data(), rows, 0, rows);
    std::vector<float> w(columns);
    for (std::size_t r = 0; r < rows; ++r) {
      decode_row(packed.matrix, r, w.data());
      for (std::size_t t = 0; t < tokens; ++t)
        EXPECT_NEAR(y[t * rows + r], oracle[t * rows + r],
                    error_bound(w, {x.data() + t * columns, columns},
                                kernel.activations == ActivationKind::int16))
            << described(kernel, dtype, rows, columns, tokens) << " row " << r << " token " << t;
    }
  }
}

TEST_P(MatmulOfType, ResultsDoNotDependOnBatchOrPanels) {
  const DType dtype = GetParam();
  Random random(5);
  const std::uint64_t columns = whole_blocks(dtype, 640);
  constexpr std::uint64_t rows = 90;
  constexpr std::size_t tokens = 29;
  const RandomTensor source = random_tensor(dtype, rows, columns, random);
  const Packed packed = pack(source.view);
  const std::vector<float> x = random_activations(tokens * columns, random);
  const Input all = quantize(Isa::ref, x, tokens, columns);
  for (Isa isa : {Isa::ref, Isa::avx2, Isa::avx512}) {
    if (isa > widest_isa()) continue;
    const MatmulKernel& kernel = *matmul_kernel(isa, layout_of(dtype));
    const auto expected = multiply(kernel, packed.matrix, all.activations, tokens);
    const AlignedBytes scratch(kernel.scratch_bytes);
    std::vector<float> y(tokens * rows, -1.0f);
    // Uneven pieces of panels and of tokens.
    for (const auto& [begin, end] : {std::pair{0u, 1u}, {1u, 4u}, {4u, 6u}})
      for (const auto& [first, count] :
           {std::pair<std::size_t, std::size_t>{0, 1}, {1, 3}, {4, 25}}) {
        Activations part = all.activations;
        part.x += first * columns;
        part.quantized = without_first(part.quantized, first);
        kernel.run(packed.matrix, begin, end, part, count, y.data() + first * rows, rows,
                   scratch.data());
      }
    expect_same_bits(y, expected, described(kernel, dtype, rows, columns, tokens));
  }
}

TEST_P(MatmulOfType, WritesItsOwnRowsOnly) {
  const DType dtype = GetParam();
  Random random(6);
  const std::uint64_t columns = whole_blocks(dtype, 64);
  constexpr std::uint64_t rows = 37;
  constexpr std::size_t stride = 64;
  const RandomTensor source = random_tensor(dtype, rows, columns, random);
  const Packed packed = pack(source.view);
  for (const std::size_t tokens : {1u, 7u}) {
    const std::vector<float> x = random_activations(tokens * columns, random);
    const Input input = quantize(Isa::ref, x, tokens, columns);
    for (Isa isa : {Isa::ref, Isa::avx2, Isa::avx512}) {
      if (isa > widest_isa()) continue;
      const MatmulKernel& kernel = *matmul_kernel(isa, layout_of(dtype));
      const AlignedBytes scratch(kernel.scratch_bytes);
      std::vector<float> y(tokens * stride, 77.0f);
      kernel.run(packed.matrix, 1, 3, input.activations, tokens, y.data(), stride, scratch.data());
      for (std::size_t t = 0; t < tokens; ++t)
        for (std::size_t r = 0; r < stride; ++r)
          EXPECT_EQ(y[t * stride + r] != 77.0f, r >= 16 && r < rows)
              << kernel.name << " token " << t << " row " << r;
    }
  }
}

TEST_P(MatmulOfType, BadActivationsShowInTheResultOfTheirRow) {
  const DType dtype = GetParam();
  Random random(7);
  const std::uint64_t columns = whole_blocks(dtype, 96);
  constexpr std::uint64_t rows = 20;
  constexpr std::size_t tokens = 8;
  const RandomTensor source = random_tensor(dtype, rows, columns, random);
  const Packed packed = pack(source.view);
  std::vector<float> x = random_activations(tokens * columns, random);
  x[2 * columns + 5] = std::numeric_limits<float>::quiet_NaN();
  x[5 * columns + 40] = std::numeric_limits<float>::infinity();
  for (Isa isa : {Isa::ref, Isa::avx2, Isa::avx512}) {
    if (isa > widest_isa()) continue;
    const Input input = quantize(isa, x, tokens, columns);
    const auto y =
        multiply(*matmul_kernel(isa, layout_of(dtype)), packed.matrix, input.activations, tokens);
    for (std::size_t t = 0; t < tokens; ++t)
      for (std::size_t r = 0; r < rows; ++r)
        EXPECT_EQ(std::isfinite(y[t * rows + r]), t != 2 && t != 5) << "token " << t;
  }
}

// All codes at one end of their range and all activations at ±32512: the largest sums there are.
TEST_P(MatmulOfType, ExtremeCodesDoNotSaturate) {
  const DType dtype = GetParam();
  const GroupedFormat* format = grouped_format(dtype);
  if (format == nullptr) return;  // plain numbers have no codes
  constexpr std::uint64_t rows = 16, columns = 256;
  for (const bool high : {false, true}) {
    GroupedBlock block{};
    block.d = f32_to_f16(0.5f);
    block.code.fill(high ? static_cast<std::uint8_t>((1u << format->traits.code_bits) - 1u) : 0);
    block.scale.fill(static_cast<std::int8_t>(format->traits.scale_high()));
    RandomTensor source;
    source.bytes.resize(rows * *row_bytes(dtype, columns));
    source.view = {dtype, {{rows, columns, 1, 1}, 2}, source.bytes};
    const std::size_t step = traits(dtype).block_bytes;
    for (std::size_t at = 0; at < source.bytes.size(); at += step)
      format->pack(block, source.bytes.data() + at);
    const Packed packed = pack(source.view);
    for (const float sign : {-1.0f, 1.0f})
      for (const std::size_t tokens : {1u, 12u}) {
        const std::vector<float> x(tokens * columns, sign);
        const Input input = quantize(Isa::ref, x, tokens, columns);
        std::vector<float> oracle(tokens * rows);
        matmul_reference(source.view, x.data(), tokens, columns, oracle.data(), rows, 0, rows);
        for (Isa isa : {Isa::ref, Isa::avx2, Isa::avx512}) {
          if (isa > widest_isa()) continue;
          const MatmulKernel& kernel = *matmul_kernel(isa, layout_of(dtype));
          const auto y = multiply(kernel, packed.matrix, input.activations, tokens);
          for (std::size_t i = 0; i < y.size(); ++i)
            ASSERT_NEAR(y[i], oracle[i], std::abs(oracle[i]) * 1e-5f) << kernel.name;
        }
      }
  }
}

INSTANTIATE_TEST_SUITE_P(All, MatmulOfType, testing::ValuesIn(computed_dtypes()),
                         [](const auto& test) { return std::string(traits(test.param).name); });

TEST(Matmul, PlainLayoutsTakeAnyNumberOfColumns) {
  Random random(8);
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16})
    for (const std::uint64_t columns : {1u, 7u, 33u, 129u, 1001u})
      for (const std::size_t tokens : {1u, 2u, 3u, 4u, 5u, 6u, 11u, 131u}) {
        const RandomTensor source = random_tensor(dtype, 70, columns, random);
        const Packed packed = pack(source.view);
        const std::vector<float> x = random_activations(tokens * columns, random);
        const Activations input{x.data(), columns, {}};
        const auto expected =
            multiply(*matmul_kernel(Isa::ref, layout_of(dtype)), packed.matrix, input, tokens);
        for (const Isa isa : vector_isas()) {
          const MatmulKernel& kernel = *matmul_kernel(isa, layout_of(dtype));
          expect_same_bits(multiply(kernel, packed.matrix, input, tokens), expected,
                           described(kernel, dtype, 70, columns, tokens));
        }
      }
}

TEST(Matmul, PathsFollowFromTheKernelsAndTheInstructionSet) {
  const auto path = [](Isa isa, Layout layout, bool many_tokens) {
    return product_path(isa, *matmul_kernel(isa, layout),
                        many_tokens ? tile_kernel(isa, layout) : nullptr);
  };
  for (const Layout layout : {Layout::p4, Layout::p8, Layout::t4}) {
    EXPECT_EQ(path(Isa::ref, layout, true), ProductPath::scalar);
    EXPECT_EQ(path(Isa::avx2, layout, true), ProductPath::integers);
    EXPECT_EQ(path(Isa::avx512, layout, true), ProductPath::integers);
    EXPECT_EQ(path(Isa::amx, layout, true), ProductPath::tiles);
    EXPECT_EQ(path(Isa::amx, layout, false), ProductPath::integers);
    EXPECT_EQ(path(Isa::amx_emulated, layout, true), ProductPath::scalar);  // tiles in software
  }
  EXPECT_EQ(path(Isa::avx512, Layout::bf16, true), ProductPath::floats);
  EXPECT_EQ(path(Isa::amx, Layout::bf16, true), ProductPath::tiles);
  EXPECT_EQ(path(Isa::amx, Layout::f16, false), ProductPath::floats);
  EXPECT_EQ(fast_path(Isa::amx), ProductPath::tiles);
  EXPECT_EQ(fast_path(Isa::avx2), ProductPath::integers);
  EXPECT_GT(fast_path(Isa::ref), ProductPath::scalar);  // what it never reaches
}

TEST(Matmul, KernelsCarryTheNameOfLayoutAndInstructionSet) {
  for (int index = 0; index <= static_cast<int>(Layout::t4); ++index) {
    const auto layout = static_cast<Layout>(index);
    for (const auto& [isa, name] :
         {std::pair{Isa::ref, "ref"}, {Isa::avx2, "avx2"}, {Isa::avx512, "avx512"}}) {
      const MatmulKernel* kernel = matmul_kernel(isa, layout);
      ASSERT_NE(kernel, nullptr) << name_of(layout) << " " << name;
      EXPECT_EQ(kernel->name, fmt::format("matmul.{}.{}", name_of(layout), name));
      EXPECT_EQ(kernel->activations, activation_kind(layout));
    }
  }
}

}  // namespace
}  // namespace premise
