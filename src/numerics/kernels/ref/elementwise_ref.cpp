// The oracle of the small operations: the formulas of the contract, in double, rounded once.
#include <cmath>

#include "numerics/kernels/contracts/elementwise.h"

namespace premise {
namespace {

void rms_norm(const float* x, const float* weight, float eps, std::size_t n, float* out) {
  double squares = 0;
  for (std::size_t i = 0; i < n; ++i) squares += double{x[i]} * x[i];
  const double factor = 1 / std::sqrt(squares / static_cast<double>(n) + eps);
  for (std::size_t i = 0; i < n; ++i) {
    out[i] = static_cast<float>(x[i] * factor * (weight == nullptr ? 1.0 : double{weight[i]}));
  }
}

void add(const float* a, const float* b, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = a[i] + b[i];
}

void scale(const float* x, float factor, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = x[i] * factor;
}

void softcap(const float* x, float cap, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; ++i) {
    out[i] = static_cast<float>(cap * std::tanh(double{x[i]} / cap));
  }
}

void silu_mul(const float* gate, const float* up, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; ++i) {
    const double x = gate[i];
    out[i] = static_cast<float>(x / (1 + std::exp(-x)) * up[i]);
  }
}

void gelu_tanh_mul(const float* gate, const float* up, std::size_t n, float* out) {
  constexpr double sqrt_2_over_pi = 0.79788456080286535588;
  for (std::size_t i = 0; i < n; ++i) {
    const double x = gate[i];
    const double gelu = x / 2 * (1 + std::tanh(sqrt_2_over_pi * (x + 0.044715 * x * x * x)));
    out[i] = static_cast<float>(gelu * up[i]);
  }
}

void rotate(float& first, float& second, double cosine, double sine) {
  const double a = first;
  const double b = second;
  first = static_cast<float>(a * cosine - b * sine);
  second = static_cast<float>(b * cosine + a * sine);
}

void rope_half(float* head, const float* cosine, const float* sine, std::size_t rotary_dim) {
  const std::size_t half = rotary_dim / 2;
  for (std::size_t i = 0; i < half; ++i) rotate(head[i], head[half + i], cosine[i], sine[i]);
}

void rope_adjacent(float* head, const float* cosine, const float* sine, std::size_t rotary_dim) {
  for (std::size_t i = 0; i < rotary_dim / 2; ++i) {
    rotate(head[2 * i], head[2 * i + 1], cosine[i], sine[i]);
  }
}

}  // namespace

extern const ElementwiseKernels elementwise_ref;
constinit const ElementwiseKernels elementwise_ref = {
    "elementwise.ref", rms_norm,      add,       scale,        softcap,
    silu_mul,          gelu_tanh_mul, rope_half, rope_adjacent};

}  // namespace premise
