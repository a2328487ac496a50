// exp and tanh of sixteen floats, within 2 ulp. Included by files of an instruction set after its
// Vector; hence no include of its own.
//
// exp(x) = 2^n * e^r with n = round(x / ln 2), |r| <= ln 2 / 2. ln 2 is taken off in two parts:
// with FMA the first product is exact, and the second part repairs the rounding of the first
// constant. On that interval e^r = 1 + r + r^2 q(r), q of degree 4: the minimax polynomial (Remez
// exchange, 50 digits) for the weight r^2 / e^r, so that the relative error of e^r is minimal. It
// is 3.1e-9, a twentieth of half an ulp; what remains is rounding.
//
// tanh(x) = x + x^3 p(x^2) below 0.625, p of degree 4, minimax in the same way, relative error
// 4.4e-9; above, 1 - 2 / (exp(2x) + 1), where the subtraction no longer cancels.
#pragma once

namespace premise {
namespace {

/// NaN stays NaN; above 88.7228 infinity; below -103.97 zero; denormal results are right.
inline Vector exponential(Vector x) {
  // The bounds lie just outside the range with a finite, nonzero result. NaN is the second operand.
  x = maximum(broadcast(-104.0f), x);
  x = minimum(broadcast(89.0f), x);
  const Vector n = round_to_nearest(multiply(x, broadcast(0x1.715476p+0f)));  // 1 / ln 2
  Vector r = fnma(n, broadcast(0x1.62e430p-1f), x);                           // ln 2, rounded
  r = fnma(n, broadcast(-0x1.05c610p-29f), r);                                // and the rest of it
  Vector q = broadcast(0x1.6a2434p-10f);
  q = fma(q, r, broadcast(0x1.1239e2p-7f));
  q = fma(q, r, broadcast(0x1.5558f2p-5f));
  q = fma(q, r, broadcast(0x1.555492p-3f));
  q = fma(q, r, broadcast(0x1.fffffcp-2f));
  const Vector power = add(fma(multiply(r, r), q, r), broadcast(1.0f));
  return scale_by_power(power, n);
}

inline Vector hyperbolic_tangent(Vector x) {
  const Vector a = magnitude(x);
  const Vector y = multiply(a, a);
  Vector p = broadcast(-0x1.75e1ccp-8f);
  p = fma(p, y, broadcast(0x1.52269cp-6f));
  p = fma(p, y, broadcast(-0x1.b83c5ap-5f));
  p = fma(p, y, broadcast(0x1.110726p-3f));
  p = fma(p, y, broadcast(-0x1.555532p-2f));
  const Vector small = fma(multiply(a, y), p, a);
  const Vector one = broadcast(1.0f);
  const Vector power = exponential(add(a, a));
  const Vector large = subtract(one, divide(broadcast(2.0f), add(power, one)));
  return with_sign(where_less(a, broadcast(0.625f), small, large), x);
}

}  // namespace
}  // namespace premise
