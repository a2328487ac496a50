// The sizes of a decoder-only transformer, and from there to something that architectures can plan.
//
// Sizing asks the very architecture that the engine asks, so that a cache group or a tensor is
// counted as it will be made. Where there are no weights (a config.json, "a model of 7b") a
// TensorSource is written from the sizes alone: the keys and tensor names that a GGUF file of this
// model would have, and not a byte behind them. Rejected: formulas per family, which say again what
// model/architectures says and drift from it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/formats/tensor_source.h"

namespace premise {

struct ModelShape {
  std::string architecture;  // as GGUF files name it: "llama"
  std::uint64_t layers = 0;
  std::uint64_t hidden = 0;
  std::uint64_t heads = 0;
  std::uint64_t kv_heads = 0;
  std::uint64_t head_dim = 0;
  std::uint64_t feed_forward = 0;
  std::uint64_t vocabulary = 0;
  std::uint64_t context_length = 0;  // what the model was made for
  bool tied = false;                 // the output matrix is the embedding
  std::uint64_t window = 0;          // positions a windowed layer sees; 0: none has a window
  std::uint64_t full_every = 0;      // each n-th layer sees everything; 0: the architecture's rule
  bool attention_bias = false;       // biases on query, key, value and output (Llama's option)
};

/// Whether shape_source() knows the tensors of an architecture.
bool knows_tensors_of(std::string_view architecture);

/// "llama, qwen2, …", for messages.
std::string known_tensor_architectures();

/// A source of this shape whose matrices are of type `dtype` and whose vectors are F32; its views
/// hold no bytes. `path` is what messages call it. Errors (bad_input): an architecture whose
/// tensors are not known, and sizes that are 0 or past what any model has.
Result<std::unique_ptr<TensorSource>> shape_source(const ModelShape& shape, DType dtype,
                                                   std::string path);

}  // namespace premise
