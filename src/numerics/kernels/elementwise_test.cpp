// One body for every operation, instruction set and size: the vectorized kernels against the
// scalar ones, which compute in double.
#include "numerics/kernels/elementwise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace premise {
namespace {

using Floats = std::vector<float>;
constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

/// Sizes around every edge of the vector loops.
std::vector<std::size_t> sizes() {
  std::vector<std::size_t> all(70);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i + 1;
  all.insert(all.end(), {127, 128, 129, 640, 1000, 2048});
  return all;
}

Floats random_floats(std::size_t n, float spread, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, spread);
  Floats values(n);
  for (float& value : values) value = normal(random);
  return values;
}

/// |a - b| in units in the last place of `expected`; 0 where both are NaN or equal.
double ulps(float actual, double expected) {
  if (std::isnan(expected)) return std::isnan(actual) ? 0 : infinity;
  const float rounded = static_cast<float>(expected);
  if (actual == rounded) return 0;
  if (!std::isfinite(actual) || !std::isfinite(rounded)) return infinity;
  const float next = std::nextafter(std::abs(rounded), infinity);
  return std::abs(actual - expected) / (double{next} - std::abs(rounded));
}

class Elementwise : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (GetParam() > widest_isa()) {
      GTEST_SKIP() << "this machine does not offer " << name_of(GetParam());
    }
  }
  const ElementwiseKernels& kernels() const { return elementwise_kernels(GetParam()); }
  const ElementwiseKernels& reference() const { return elementwise_kernels(Isa::ref); }

  /// Runs `operation` with both sets of kernels for every size and compares with a tolerance
  /// relative to the magnitude of each result, or of 1 where `magnitude` is 1.
  using Operation = std::function<void(const ElementwiseKernels&, std::size_t n, Floats& out)>;
  void compare(const Operation& operation, float tolerance, float magnitude = 0) {
    for (std::size_t n : sizes()) {
      Floats expected(n + 1, 77.0f);
      Floats actual(n + 1, 77.0f);
      operation(reference(), n, expected);
      operation(kernels(), n, actual);
      for (std::size_t i = 0; i < n; ++i) {
        const float bound = tolerance * std::max(magnitude, std::abs(expected[i]));
        ASSERT_NEAR(actual[i], expected[i], bound) << "n " << n << " i " << i;
      }
      ASSERT_EQ(actual[n], 77.0f) << "wrote past the end, n " << n;
    }
  }
};

TEST_P(Elementwise, NamesItself) {
  EXPECT_EQ(kernels().name, "elementwise." + std::string(name_of(GetParam())));
}

TEST_P(Elementwise, RmsNormWithAndWithoutWeight) {
  const Floats x = random_floats(2048, 3, 1);
  const Floats weight = random_floats(2048, 1, 2);
  for (const float* w : {weight.data(), static_cast<const float*>(nullptr)}) {
    compare([&](const ElementwiseKernels& k, std::size_t n,
                Floats& out) { k.rms_norm(x.data(), w, 1e-6f, n, out.data()); },
            elementwise_tolerance);
  }
}

TEST_P(Elementwise, RmsNormOfZerosIsZero) {
  const Floats x(40, 0.0f);
  Floats out(40, 1.0f);
  kernels().rms_norm(x.data(), nullptr, 1e-6f, 40, out.data());
  for (float value : out) EXPECT_EQ(value, 0.0f);
}

TEST_P(Elementwise, AddAndScaleAreExact) {
  const Floats a = random_floats(2048, 3, 3);
  const Floats b = random_floats(2048, 1e-3f, 4);
  compare([&](const ElementwiseKernels& k, std::size_t n,
              Floats& out) { k.add(a.data(), b.data(), n, out.data()); },
          0);
  compare([&](const ElementwiseKernels& k, std::size_t n,
              Floats& out) { k.scale(a.data(), 0.3f, n, out.data()); },
          0);
}

TEST_P(Elementwise, OutputMayBeTheInput) {
  const Floats a = random_floats(67, 3, 5);
  const Floats b = random_floats(67, 3, 6);
  Floats apart(67);
  Floats in_place = a;
  kernels().silu_mul(a.data(), b.data(), 67, apart.data());
  kernels().silu_mul(in_place.data(), b.data(), 67, in_place.data());
  EXPECT_EQ(apart, in_place);
  in_place = b;
  kernels().silu_mul(a.data(), in_place.data(), 67, in_place.data());
  EXPECT_EQ(apart, in_place);
  in_place = a;
  kernels().rms_norm(a.data(), b.data(), 1e-5f, 67, apart.data());
  kernels().rms_norm(in_place.data(), b.data(), 1e-5f, 67, in_place.data());
  EXPECT_EQ(apart, in_place);
}

TEST_P(Elementwise, Softcap) {
  const Floats x = random_floats(2048, 60, 7);
  compare([&](const ElementwiseKernels& k, std::size_t n,
              Floats& out) { k.softcap(x.data(), 30.0f, n, out.data()); },
          elementwise_tolerance);
}

TEST_P(Elementwise, GatedActivations) {
  const Floats gate = random_floats(2048, 5, 8);
  const Floats up = random_floats(2048, 1, 9);
  compare([&](const ElementwiseKernels& k, std::size_t n,
              Floats& out) { k.silu_mul(gate.data(), up.data(), n, out.data()); },
          elementwise_tolerance, 1);
  compare([&](const ElementwiseKernels& k, std::size_t n,
              Floats& out) { k.gelu_tanh_mul(gate.data(), up.data(), n, out.data()); },
          elementwise_tolerance, 1);
}

TEST_P(Elementwise, ActivationsOfExtremes) {
  const Floats gate = {0.0f, -0.0f, 1e30f, -1e30f, 100.0f, -100.0f, infinity, nan, 1e-40f};
  const Floats up(gate.size(), 2.0f);
  Floats expected(gate.size());
  Floats actual(gate.size());
  for (auto operation : {&ElementwiseKernels::silu_mul, &ElementwiseKernels::gelu_tanh_mul}) {
    (reference().*operation)(gate.data(), up.data(), gate.size(), expected.data());
    (kernels().*operation)(gate.data(), up.data(), gate.size(), actual.data());
    for (std::size_t i = 0; i < gate.size(); ++i) {
      if (std::isfinite(expected[i])) {
        EXPECT_NEAR(actual[i], expected[i], 1e-6f * std::abs(expected[i]) + 1e-37f) << gate[i];
      } else {
        EXPECT_EQ(ulps(actual[i], expected[i]), 0) << gate[i];
      }
    }
  }
}

TEST_P(Elementwise, RopeRotatesBothOrdersOfPairs) {
  for (std::size_t rotary_dim = 2; rotary_dim <= 256; rotary_dim += 2) {
    const Floats head = random_floats(rotary_dim + 1, 1, 10);
    Floats cosine(rotary_dim / 2);
    Floats sine(rotary_dim / 2);
    for (std::size_t i = 0; i < cosine.size(); ++i) {
      const double angle =
          17.3 * std::pow(10000.0, -2.0 * static_cast<double>(i) / static_cast<double>(rotary_dim));
      cosine[i] = static_cast<float>(std::cos(angle));
      sine[i] = static_cast<float>(std::sin(angle));
    }
    for (auto operation : {&ElementwiseKernels::rope_half, &ElementwiseKernels::rope_adjacent}) {
      Floats expected = head;
      Floats actual = head;
      (reference().*operation)(expected.data(), cosine.data(), sine.data(), rotary_dim);
      (kernels().*operation)(actual.data(), cosine.data(), sine.data(), rotary_dim);
      for (std::size_t i = 0; i < rotary_dim; ++i) {
        ASSERT_NEAR(actual[i], expected[i], 4 * elementwise_tolerance) << rotary_dim << " " << i;
      }
      ASSERT_EQ(actual[rotary_dim], head[rotary_dim]) << "rotated past the end";
    }
  }
}

/// With a cap of 1, softcap is tanh itself.
TEST_P(Elementwise, TanhIsWithinTwoUlpOverADenseGrid) {
  double worst = 0;
  Floats x;
  for (float magnitude = 1e-30f; magnitude < 20; magnitude *= 1.00005f) {
    x.push_back(magnitude);
    x.push_back(-magnitude);
  }
  Floats out(x.size());
  kernels().softcap(x.data(), 1.0f, x.size(), out.data());
  for (std::size_t i = 0; i < x.size(); ++i) {
    worst = std::max(worst, ulps(out[i], std::tanh(double{x[i]})));
  }
  RecordProperty("worst_ulp", std::to_string(worst));
  EXPECT_LE(worst, 2.0);
}

TEST_P(Elementwise, TanhOfExtremes) {
  const Floats x = {0.0f, -0.0f, infinity, -infinity, 1e30f, -1e30f, 1e-42f, nan};
  Floats out(x.size());
  kernels().softcap(x.data(), 1.0f, x.size(), out.data());
  EXPECT_EQ(out[0], 0.0f);
  EXPECT_TRUE(std::signbit(out[1]));
  EXPECT_EQ(out[2], 1.0f);
  EXPECT_EQ(out[3], -1.0f);
  EXPECT_EQ(out[4], 1.0f);
  EXPECT_EQ(out[5], -1.0f);
  EXPECT_EQ(out[6], 1e-42f);
  EXPECT_TRUE(std::isnan(out[7]));
}

/// Of silu(-x) = -x / (1 + exp(x)) with x >= 18 only exp decides the error: adding 1 and dividing
/// round once each.
TEST_P(Elementwise, ExpIsWithinTwoUlpWhereSiluShowsIt) {
  double worst = 0;
  Floats x;
  for (float value = 18; value < 87; value += 1e-3f) x.push_back(-value);
  const Floats ones(x.size(), 1.0f);
  Floats out(x.size());
  kernels().silu_mul(x.data(), ones.data(), x.size(), out.data());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double exact = x[i] / (1 + std::exp(-double{x[i]}));
    worst = std::max(worst, ulps(out[i], exact));
  }
  RecordProperty("worst_ulp", std::to_string(worst));
  EXPECT_LE(worst, 2.5) << "exp within 1.5, the addition and the division add half each";
}

TEST(ElementwiseGenerations, Avx2AndAvx512AgreeBitForBit) {
  if (widest_isa() < Isa::avx512) GTEST_SKIP() << "this machine does not offer avx512";
  const ElementwiseKernels& narrow = elementwise_kernels(Isa::avx2);
  const ElementwiseKernels& wide = elementwise_kernels(Isa::avx512);
  const Floats x = random_floats(3001, 30, 12);
  const Floats y = random_floats(3001, 30, 13);
  Floats a(x.size());
  Floats b(x.size());
  for (auto operation : {&ElementwiseKernels::silu_mul, &ElementwiseKernels::gelu_tanh_mul}) {
    (narrow.*operation)(x.data(), y.data(), x.size(), a.data());
    (wide.*operation)(x.data(), y.data(), x.size(), b.data());
    EXPECT_EQ(a, b);
  }
  narrow.softcap(x.data(), 20, x.size(), a.data());
  wide.softcap(x.data(), 20, x.size(), b.data());
  EXPECT_EQ(a, b);
  narrow.rms_norm(x.data(), y.data(), 1e-6f, x.size(), a.data());
  wide.rms_norm(x.data(), y.data(), 1e-6f, x.size(), b.data());
  EXPECT_EQ(a, b);
  a = x;
  b = x;
  narrow.rope_adjacent(a.data(), y.data(), y.data() + 1500, 3000);
  wide.rope_adjacent(b.data(), y.data(), y.data() + 1500, 3000);
  EXPECT_EQ(a, b);
}

INSTANTIATE_TEST_SUITE_P(Isa, Elementwise, testing::Values(Isa::ref, Isa::avx2, Isa::avx512),
                         [](const auto& isa) { return std::string(name_of(isa.param)); });

}  // namespace
}  // namespace premise
