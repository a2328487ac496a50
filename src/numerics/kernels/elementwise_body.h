// The small operations over sixteen floats at a time, written once for every instruction set.
// Included by avx2/elementwise_avx2.cpp and avx512/elementwise_avx512.cpp after their Vector and
// elementwise_math.h; hence no include of its own.
//
// All of these are bound by memory or by exp, so nothing is unrolled but the sum of squares, whose
// four partial sums hide the latency of the addition.
#pragma once

namespace premise {
namespace {

constexpr std::size_t lanes = 16;

/// out[i] = f(x[i])
template <typename Function>
inline void map(const float* x, std::size_t n, float* out, Function f) {
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) store(out + i, f(load(x + i)));
  if (i < n) store_first(out + i, f(load_first(x + i, n - i)), n - i);
}

/// out[i] = f(x[i], y[i])
template <typename Function>
inline void map(const float* x, const float* y, std::size_t n, float* out, Function f) {
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) store(out + i, f(load(x + i), load(y + i)));
  if (i < n) {
    store_first(out + i, f(load_first(x + i, n - i), load_first(y + i, n - i)), n - i);
  }
}

inline float sum_of_squares(const float* x, std::size_t n) {
  Vector a = zero(), b = zero(), c = zero(), d = zero();
  std::size_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    const Vector x0 = load(x + i), x1 = load(x + i + lanes);
    const Vector x2 = load(x + i + 2 * lanes), x3 = load(x + i + 3 * lanes);
    a = fma(x0, x0, a);
    b = fma(x1, x1, b);
    c = fma(x2, x2, c);
    d = fma(x3, x3, d);
  }
  for (; i < n; i += lanes) {
    const Vector x0 = n - i < lanes ? load_first(x + i, n - i) : load(x + i);
    a = fma(x0, x0, a);
  }
  return sum(add(add(a, b), add(c, d)));
}

void rms_norm(const float* x, const float* weight, float eps, std::size_t n, float* out) {
  const float mean = sum_of_squares(x, n) / static_cast<float>(n);
  const float root = _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(mean + eps)));
  const Vector factor = broadcast(1.0f / root);
  if (weight == nullptr) {
    map(x, n, out, [=](Vector a) { return multiply(a, factor); });
  } else {
    map(x, weight, n, out, [=](Vector a, Vector w) { return multiply(multiply(a, factor), w); });
  }
}

void add_rows(const float* a, const float* b, std::size_t n, float* out) {
  map(a, b, n, out, [](Vector x, Vector y) { return add(x, y); });
}

void scale_row(const float* x, float factor, std::size_t n, float* out) {
  map(x, n, out, [f = broadcast(factor)](Vector a) { return multiply(a, f); });
}

void softcap(const float* x, float cap, std::size_t n, float* out) {
  map(x, n, out,
      [c = broadcast(cap)](Vector a) { return multiply(c, hyperbolic_tangent(divide(a, c))); });
}

/// x / (1 + exp(-y)): the logistic function of y, times x. Where exp overflows the result is 0.
inline Vector times_logistic(Vector x, Vector minus_y) {
  return divide(x, add(broadcast(1.0f), exponential(minus_y)));
}

void silu_mul(const float* gate, const float* up, std::size_t n, float* out) {
  map(gate, up, n, out,
      [](Vector x, Vector u) { return multiply(times_logistic(x, subtract(zero(), x)), u); });
}

/// (1 + tanh(z)) / 2 is the logistic function of 2z, which does not cancel for negative z.
void gelu_tanh_mul(const float* gate, const float* up, std::size_t n, float* out) {
  map(gate, up, n, out, [](Vector x, Vector u) {
    constexpr double twice_sqrt_2_over_pi = 2 * 0.79788456080286535588;
    const Vector linear = broadcast(static_cast<float>(-twice_sqrt_2_over_pi));
    const Vector cubic = broadcast(static_cast<float>(-twice_sqrt_2_over_pi * 0.044715));
    const Vector minus_2z = multiply(x, fma(multiply(x, x), cubic, linear));
    return multiply(times_logistic(x, minus_2z), u);
  });
}

void rope_half(float* head, const float* cosine, const float* sine, std::size_t rotary_dim) {
  const std::size_t half = rotary_dim / 2;
  float* other = head + half;
  std::size_t i = 0;
  for (; i + lanes <= half; i += lanes) {
    const Vector a = load(head + i), b = load(other + i);
    const Vector c = load(cosine + i), s = load(sine + i);
    store(head + i, fnma(b, s, multiply(a, c)));
    store(other + i, fma(a, s, multiply(b, c)));
  }
  if (const std::size_t n = half - i; n > 0) {
    const Vector a = load_first(head + i, n), b = load_first(other + i, n);
    const Vector c = load_first(cosine + i, n), s = load_first(sine + i, n);
    store_first(head + i, fnma(b, s, multiply(a, c)), n);
    store_first(other + i, fma(a, s, multiply(b, c)), n);
  }
}

void rope_adjacent(float* head, const float* cosine, const float* sine, std::size_t rotary_dim) {
  constexpr std::size_t pairs = lanes / 2;
  std::size_t i = 0;
  for (; i + pairs <= rotary_dim / 2; i += pairs) {
    const Vector c = load_doubled(cosine + i, pairs), s = load_doubled(sine + i, pairs);
    store(head + 2 * i, rotate_pairs(load(head + 2 * i), c, s));
  }
  if (const std::size_t n = rotary_dim / 2 - i; n > 0) {
    const Vector c = load_doubled(cosine + i, n), s = load_doubled(sine + i, n);
    store_first(head + 2 * i, rotate_pairs(load_first(head + 2 * i, 2 * n), c, s), 2 * n);
  }
}

}  // namespace
}  // namespace premise
