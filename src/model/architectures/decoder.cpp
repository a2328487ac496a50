#include "model/architectures/decoder.h"

#include <cmath>

namespace premise {
namespace {

// Bounds that no published model comes near; past them a file is damaged or hostile.
constexpr std::uint64_t max_layers = 1024;
constexpr std::uint64_t max_heads = 1024;
constexpr std::uint64_t max_head_dim = 1024;
constexpr std::uint64_t max_width = std::uint64_t{1} << 24;
constexpr std::uint64_t max_context = std::uint64_t{1} << 30;

class Reader {
 public:
  Reader(const TensorSource& source, std::string_view prefix) : source_(source), prefix_(prefix) {}

  Result<std::uint64_t> size(std::string_view key, std::uint64_t most,
                             std::optional<std::uint64_t> fallback = std::nullopt) const {
    const std::string name = prefix_ + "." + std::string(key);
    const Metadata& meta = source_.metadata();
    PREMISE_TRY(const std::uint64_t value,
                fallback ? meta.u64_or(name, *fallback) : meta.u64(name));
    if (value == 0 || value > most)
      return error(ErrorCode::bad_input,
                   {"{}: {} = {} is out of range (1 to {})", "{}：{} = {} 超出范围（1 至 {}）"},
                   source_.path(), name, value, most);
    return value;
  }

 private:
  const TensorSource& source_;
  std::string prefix_;
};

Status check_attention(const TensorSource& source, const DecoderShape& s) {
  if (s.heads % s.kv_heads != 0)
    return error(ErrorCode::bad_input,
                 {"{}: {} attention heads cannot be shared by {} KV heads",
                  "{}：{} 个注意力头无法均分给 {} 个 KV 头"},
                 source.path(), s.heads, s.kv_heads);
  if (s.head_dim % 8 != 0)
    return error(ErrorCode::bad_input,
                 {"{}: {}.attention.key_length = {} is not a multiple of 8",
                  "{}：{}.attention.key_length = {} 不是 8 的倍数"},
                 source.path(), s.prefix, s.head_dim);
  return {};
}

}  // namespace

Result<DecoderShape> read_decoder_shape(const TensorSource& source, std::string_view prefix) {
  const Reader read(source, prefix);
  const Metadata& meta = source.metadata();
  const std::string keys(prefix);
  PREMISE_TRY(const std::uint64_t experts, meta.u64_or(keys + ".expert_count", 0));
  if (experts > 0)
    return error(ErrorCode::bad_input,
                 {"{}: a mixture of {} experts; Premise does not compute mixtures of experts yet",
                  "{}：这是含 {} 个专家的混合专家模型，Premise 目前还不支持"},
                 source.path(), experts);
  DecoderShape s;
  s.prefix = prefix;
  PREMISE_TRY(s.hidden, read.size("embedding_length", max_width));
  PREMISE_TRY(const std::uint64_t layers, read.size("block_count", max_layers));
  PREMISE_TRY(const std::uint64_t heads, read.size("attention.head_count", max_heads));
  PREMISE_TRY(const std::uint64_t kv_heads, read.size("attention.head_count_kv", heads, heads));
  PREMISE_TRY(const std::uint64_t head_dim,
              read.size("attention.key_length", max_head_dim, s.hidden / heads));
  PREMISE_TRY(const std::uint64_t value_dim,
              read.size("attention.value_length", max_head_dim, head_dim));
  PREMISE_TRY(s.feed_forward, read.size("feed_forward_length", max_width));
  PREMISE_TRY(s.context_length, read.size("context_length", max_context));
  PREMISE_TRY(const double eps, meta.number(keys + ".attention.layer_norm_rms_epsilon"));
  if (!(eps > 0.0 && eps < 1.0))
    return error(ErrorCode::bad_input,
                 {"{}: {}.attention.layer_norm_rms_epsilon = {} is out of range",
                  "{}：{}.attention.layer_norm_rms_epsilon = {} 超出范围"},
                 source.path(), prefix, eps);
  if (value_dim != head_dim)
    return error(ErrorCode::bad_input,
                 {"{}: keys of {} and values of {} dimensions; {} models have them equal",
                  "{}：键为 {} 维而值为 {} 维；{} 架构要求二者相等"},
                 source.path(), head_dim, value_dim, prefix);
  s.layers = static_cast<std::uint32_t>(layers);
  s.heads = static_cast<std::uint32_t>(heads);
  s.kv_heads = static_cast<std::uint32_t>(kv_heads);
  s.head_dim = static_cast<std::uint32_t>(head_dim);
  s.eps = static_cast<float>(eps);
  if (const auto index = source.find("token_embd.weight"))
    s.vocabulary = source.tensors()[*index].shape.rows();
  PREMISE_CHECK(check_attention(source, s));
  return s;
}

Result<std::uint32_t> read_window(const TensorSource& source, std::string_view prefix,
                                  std::uint64_t fallback) {
  const std::string key = std::string(prefix) + ".attention.sliding_window";
  PREMISE_TRY(const std::uint64_t window, source.metadata().u64_or(key, fallback));
  if (window > max_context)
    return error(ErrorCode::bad_input,
                 {"{}: {} = {} is out of range (at most {})", "{}：{} = {} 超出范围（最多 {}）"},
                 source.path(), key, window, max_context);
  return static_cast<std::uint32_t>(window);
}

std::string layer_tensor(std::uint32_t layer, std::string_view name) {
  return fmt::format("blk.{}.{}", layer, name);
}

Qkv project_qkv(PlanBuilder& b, const DecoderShape& s, std::uint32_t layer, ValueId x) {
  const auto project = [&](std::string_view name, std::uint64_t heads) {
    const std::uint64_t width = heads * s.head_dim;
    const std::string stem = layer_tensor(layer, name);
    const WeightId weight = b.weight(stem + ".weight", {width, s.hidden});
    return b.linear(x, weight, b.optional_weight(stem + ".bias", {width}));
  };
  const ValueId query = project("attn_q", s.heads);
  const ValueId key = project("attn_k", s.kv_heads);
  const ValueId value = project("attn_v", s.kv_heads);
  return {query, key, value};
}

ValueId project_output(PlanBuilder& b, const DecoderShape& s, std::uint32_t layer, ValueId x) {
  const std::string stem = layer_tensor(layer, "attn_output");
  const WeightId weight =
      b.weight(stem + ".weight", {s.hidden, std::uint64_t{s.heads} * s.head_dim});
  return b.linear(x, weight, b.optional_weight(stem + ".bias", {s.hidden}));
}

ValueId hidden_norm(PlanBuilder& b, const DecoderShape& s, const std::string& weight, ValueId x) {
  return b.rms_norm(x, b.weight(weight, {s.hidden}), s.eps);
}

ValueId head_norm(PlanBuilder& b, const DecoderShape& s, const std::string& weight, ValueId x,
                  std::uint32_t heads) {
  return b.rms_norm(x, b.weight(weight, {s.head_dim}), s.eps, heads);
}

ValueId gated_feed_forward(PlanBuilder& b, const DecoderShape& s, std::uint32_t layer, ValueId x,
                           GluOp::Activation activation) {
  const auto up_weight = [&](std::string_view name) {
    return b.weight(layer_tensor(layer, name), {s.feed_forward, s.hidden});
  };
  const ValueId gate = b.linear(x, up_weight("ffn_gate.weight"));
  const ValueId up = b.linear(x, up_weight("ffn_up.weight"));
  const WeightId down =
      b.weight(layer_tensor(layer, "ffn_down.weight"), {s.hidden, s.feed_forward});
  return b.linear(b.glu(activation, gate, up), down);
}

ValueId output_logits(PlanBuilder& b, const DecoderShape& s, ValueId x, WeightId embedding) {
  b.layer(-1);
  const ValueId rows = hidden_norm(b, s, "output_norm.weight", b.select_rows(x));
  const auto output = b.optional_weight("output.weight", {s.vocabulary, s.hidden});
  return b.linear(rows, output.value_or(embedding));
}

WeightId token_embedding(PlanBuilder& b, const DecoderShape& s) {
  return b.weight("token_embd.weight", {s.vocabulary, s.hidden});
}

}  // namespace premise
