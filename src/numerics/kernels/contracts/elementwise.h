// The small operations of a layer: what each computes. Plain data only: files of every instruction
// set include this. Every function works on one row; rows are shared out among threads by the
// caller. `out` may be the same memory as an input, never a partial overlap.
#pragma once

#include <cstddef>
#include <cstdint>

namespace premise {

struct ElementwiseKernels {
  const char* name;  // "elementwise.avx512"

  /// out[i] = x[i] / sqrt(mean(x^2) + eps) * weight[i]; a null weight is all ones.
  void (*rms_norm)(const float* x, const float* weight, float eps, std::size_t n, float* out);

  /// out[i] = a[i] + b[i]
  void (*add)(const float* a, const float* b, std::size_t n, float* out);

  /// out[i] = x[i] * factor
  void (*scale)(const float* x, float factor, std::size_t n, float* out);

  /// out[i] = cap * tanh(x[i] / cap)
  void (*softcap)(const float* x, float cap, std::size_t n, float* out);

  /// out[i] = silu(gate[i]) * up[i], silu(x) = x / (1 + exp(-x))
  void (*silu_mul)(const float* gate, const float* up, std::size_t n, float* out);

  /// out[i] = gelu(gate[i]) * up[i], the tanh form:
  /// gelu(x) = x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))
  void (*gelu_tanh_mul)(const float* gate, const float* up, std::size_t n, float* out);

  /// Rotates one head in place. `cosine` and `sine` hold `rotary_dim / 2` factors of one position.
  /// half:       pairs (i, i + rotary_dim / 2)   (GPT-NeoX order)
  /// adjacent:   pairs (2i, 2i + 1)              (Llama's order in GGUF files)
  void (*rope_half)(float* head, const float* cosine, const float* sine, std::size_t rotary_dim);
  void (*rope_adjacent)(float* head, const float* cosine, const float* sine,
                        std::size_t rotary_dim);
};

}  // namespace premise
