// What decoder-only transformers share: their sizes, the names of their tensors in GGUF files, and
// the few ways their layers are put together. An architecture's file says which of these it uses.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/formats/tensor_source.h"
#include "model/plan/architecture.h"
#include "model/plan/builder.h"

namespace premise {

struct DecoderShape {
  std::string prefix;  // of the keys: "qwen2"
  std::uint32_t layers = 0;
  std::uint64_t hidden = 0;
  std::uint32_t heads = 0;
  std::uint32_t kv_heads = 0;
  std::uint32_t head_dim = 0;
  std::uint64_t feed_forward = 0;
  std::uint64_t vocabulary = 0;
  std::uint64_t context_length = 0;  // what the model was made for
  float eps = 0.0f;                  // of its norms
};

/// Reads and bounds the sizes under `<prefix>.*`. Mixtures of experts are refused by name.
Result<DecoderShape> read_decoder_shape(const TensorSource& source, std::string_view prefix);

/// `<prefix>.attention.sliding_window`, the fallback where the file has none; 0: no window.
Result<std::uint32_t> read_window(const TensorSource& source, std::string_view prefix,
                                  std::uint64_t fallback = 0);

/// "blk.3.attn_q.weight"
std::string layer_tensor(std::uint32_t layer, std::string_view name);

struct Qkv {
  ValueId query;
  ValueId key;
  ValueId value;
};

/// attn_q, attn_k, attn_v with their biases where the file has them.
Qkv project_qkv(PlanBuilder& b, const DecoderShape& s, std::uint32_t layer, ValueId x);

/// attn_output, with its bias where the file has one.
ValueId project_output(PlanBuilder& b, const DecoderShape& s, std::uint32_t layer, ValueId x);

/// A norm over the whole row, weight [hidden].
ValueId hidden_norm(PlanBuilder& b, const DecoderShape& s, const std::string& weight, ValueId x);

/// A norm over each head, weight [head_dim].
ValueId head_norm(PlanBuilder& b, const DecoderShape& s, const std::string& weight, ValueId x,
                  std::uint32_t heads);

/// ffn_down(activation(ffn_gate(x)) * ffn_up(x))
ValueId gated_feed_forward(PlanBuilder& b, const DecoderShape& s, std::uint32_t layer, ValueId x,
                           GluOp::Activation activation);

/// Rows wanted, output_norm, then output.weight or the embedding where the file ties them.
ValueId output_logits(PlanBuilder& b, const DecoderShape& s, ValueId x, WeightId embedding);

/// The embedding matrix, [vocabulary, hidden].
WeightId token_embedding(PlanBuilder& b, const DecoderShape& s);

/// A group made when its first layer asks for it, so that no empty group is planned.
class LazyCacheGroup {
 public:
  LazyCacheGroup(PlanBuilder& b, const DecoderShape& s, std::uint32_t window)
      : b_(b), s_(s), window_(window) {}
  std::uint32_t get() {
    if (group_ < 0) group_ = b_.cache_group(window_, s_.kv_heads, s_.head_dim);
    return static_cast<std::uint32_t>(group_);
  }

 private:
  PlanBuilder& b_;
  const DecoderShape& s_;
  std::uint32_t window_;
  std::int64_t group_ = -1;  // none so far
};

}  // namespace premise
