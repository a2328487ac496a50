#include "model/architectures/sandwich.h"

#include <cmath>

#include "model/plan/rope.h"

namespace premise {
namespace {

// What the layers need beside the shape.
struct Settings {
  std::uint32_t window = 0;
  std::uint64_t full_every = 1;
  float query_scale = 0.0f;
  float attention_softcap = 0.0f;
  float output_softcap = 0.0f;
  RopeTable full_rope;
  RopeTable window_rope;
};

Result<float> read_softcap(const ArchitectureInput& input, const std::string& key) {
  PREMISE_TRY(const double cap, input.source.metadata().number_or(key, 0.0));
  if (!(cap >= 0.0) || cap > 1e6)
    return error(ErrorCode::bad_input, {"{}: {} = {} is out of range", "{}：{} = {} 超出范围"},
                 input.source.path(), key, cap);
  return static_cast<float>(cap);
}

Result<Settings> read_settings(const ArchitectureInput& input, const DecoderShape& s,
                               const SandwichOptions& options) {
  const Metadata& meta = input.source.metadata();
  Settings settings;
  PREMISE_TRY(settings.window, read_window(input.source, s.prefix, options.window_default));
  const std::string pattern = s.prefix + ".attention.sliding_window_pattern";
  PREMISE_TRY(settings.full_every, meta.u64_or(pattern, options.full_every));
  if (settings.full_every == 0)
    return error(ErrorCode::bad_input, {"{}: {} is 0", "{}：{} 为 0"}, input.source.path(),
                 pattern);
  PREMISE_TRY(settings.attention_softcap,
              read_softcap(input, s.prefix + ".attn_logit_softcapping"));
  PREMISE_TRY(settings.output_softcap, read_softcap(input, s.prefix + ".final_logit_softcapping"));

  const bool wide = options.wide_scale_layers != 0 && s.layers == options.wide_scale_layers;
  const float divisor = wide ? static_cast<float>(s.hidden) / static_cast<float>(s.heads)
                             : static_cast<float>(s.head_dim);
  settings.query_scale = 1.0f / std::sqrt(divisor);

  PREMISE_TRY(settings.full_rope,
              read_rope(input.source, s.prefix, s.head_dim, RopeTable::Pairing::half));
  PREMISE_TRY(const double base,
              meta.number_or(s.prefix + ".rope.freq_base_swa", options.window_rope_base));
  const std::uint64_t rotary_dim = settings.full_rope.frequencies.size() * 2;
  settings.window_rope =
      base > 1.0 ? plain_rope(rotary_dim, base, RopeTable::Pairing::half) : settings.full_rope;
  return settings;
}

}  // namespace

Result<Plan> plan_sandwich(const ArchitectureInput& input, const SandwichOptions& options) {
  PREMISE_TRY(const DecoderShape s, read_decoder_shape(input.source, options.prefix));
  PREMISE_TRY(Settings settings, read_settings(input, s, options));

  PlanBuilder b(input.source, options.prefix);
  const std::uint32_t full_rope = b.rope(std::move(settings.full_rope));
  const std::uint32_t window_rope = b.rope(std::move(settings.window_rope));
  LazyCacheGroup full(b, s, 0);
  LazyCacheGroup windowed(b, s, settings.window);

  const WeightId embedding = token_embedding(b, s);
  ValueId x = b.embed(embedding, std::sqrt(static_cast<float>(s.hidden)));
  for (std::uint32_t layer = 0; layer < s.layers; ++layer) {
    b.layer(static_cast<std::int32_t>(layer));
    const auto name = [layer](std::string_view tensor) { return layer_tensor(layer, tensor); };
    const bool is_full = settings.window == 0 || (layer + 1) % settings.full_every == 0;
    const std::uint32_t rope = is_full ? full_rope : window_rope;

    Qkv qkv = project_qkv(b, s, layer, hidden_norm(b, s, name("attn_norm.weight"), x));
    if (options.head_norms) {
      qkv.query = head_norm(b, s, name("attn_q_norm.weight"), qkv.query, s.heads);
      qkv.key = head_norm(b, s, name("attn_k_norm.weight"), qkv.key, s.kv_heads);
    }
    const ValueId query = b.rope(qkv.query, rope, s.heads);
    const ValueId key = b.rope(qkv.key, rope, s.kv_heads);
    const ValueId mixed = b.attention(is_full ? full.get() : windowed.get(), query, key, qkv.value,
                                      s.heads, settings.query_scale, settings.attention_softcap);
    const ValueId attended = project_output(b, s, layer, mixed);
    x = b.add(x, hidden_norm(b, s, name("post_attention_norm.weight"), attended));

    const ValueId normed = hidden_norm(b, s, name("ffn_norm.weight"), x);
    const ValueId fed = gated_feed_forward(b, s, layer, normed, GluOp::Activation::gelu_tanh);
    x = b.add(x, hidden_norm(b, s, name("post_ffw_norm.weight"), fed));
  }
  ValueId logits = output_logits(b, s, x, embedding);
  if (settings.output_softcap > 0.0f) logits = b.softcap(logits, settings.output_softcap);
  return b.finish(logits, s.context_length);
}

}  // namespace premise
