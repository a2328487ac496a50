#include "model/architectures/pre_norm.h"

#include <cmath>

#include "model/plan/rope.h"

namespace premise {
namespace {

Result<RopeTable> rope_of(const ArchitectureInput& input, const DecoderShape& s,
                          const PreNormOptions& options) {
  PREMISE_TRY(RopeTable table,
              read_rope(input.source, options.prefix, s.head_dim, options.pairing));
  constexpr std::string_view factors_tensor = "rope_freqs.weight";
  if (options.rope_factors && input.source.find(factors_tensor)) {
    PREMISE_TRY(const auto factors, read_f32_vector(input.source, factors_tensor));
    PREMISE_CHECK(divide_frequencies(table, factors, factors_tensor));
  }
  return table;
}

}  // namespace

Result<Plan> plan_pre_norm(const ArchitectureInput& input, const PreNormOptions& options) {
  PREMISE_TRY(const DecoderShape s, read_decoder_shape(input.source, options.prefix));
  PREMISE_TRY(RopeTable rope_table, rope_of(input, s, options));
  PREMISE_TRY(const std::uint32_t window, read_window(input.source, s.prefix));
  const float scale = 1.0f / std::sqrt(static_cast<float>(s.head_dim));

  PlanBuilder b(input.source, options.prefix);
  if (options.rope_factors) b.consumed("rope_freqs.weight");
  const std::uint32_t rope = b.rope(std::move(rope_table));
  const std::uint32_t cache = b.cache_group(window, s.kv_heads, s.head_dim);
  const WeightId embedding = token_embedding(b, s);
  ValueId x = b.embed(embedding);
  for (std::uint32_t layer = 0; layer < s.layers; ++layer) {
    b.layer(static_cast<std::int32_t>(layer));
    const auto name = [layer](std::string_view tensor) { return layer_tensor(layer, tensor); };
    Qkv qkv = project_qkv(b, s, layer, hidden_norm(b, s, name("attn_norm.weight"), x));
    if (options.head_norms) {
      qkv.query = head_norm(b, s, name("attn_q_norm.weight"), qkv.query, s.heads);
      qkv.key = head_norm(b, s, name("attn_k_norm.weight"), qkv.key, s.kv_heads);
    }
    const ValueId query = b.rope(qkv.query, rope, s.heads);
    const ValueId key = b.rope(qkv.key, rope, s.kv_heads);
    const ValueId mixed = b.attention(cache, query, key, qkv.value, s.heads, scale);
    x = b.add(x, project_output(b, s, layer, mixed));
    const ValueId normed = hidden_norm(b, s, name("ffn_norm.weight"), x);
    x = b.add(x, gated_feed_forward(b, s, layer, normed, GluOp::Activation::silu));
  }
  return b.finish(output_logits(b, s, x, embedding), s.context_length);
}

}  // namespace premise
