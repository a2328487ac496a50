// Phi-3 and Phi-4-mini: query, key and value in one matrix, gate and up in another, LongRoPE.
//
// LongRoPE has two sets of frequency factors. Which one applies is settled when the plan is built:
// the long set where a sequence may exceed the context of the original training, else the short
// one. transformers decides by the length reached so far, and with it changes keys it has already
// cached; deciding by what was asked for keeps one sequence consistent.
#include <cmath>

#include "model/architectures/decoder.h"
#include "model/plan/rope.h"

namespace premise {
namespace {

constexpr std::string_view long_factors = "rope_factors_long.weight";
constexpr std::string_view short_factors = "rope_factors_short.weight";

Result<RopeTable> read_long_rope(const ArchitectureInput& input, const DecoderShape& s) {
  const Metadata& meta = input.source.metadata();
  PREMISE_TRY(RopeTable table,
              read_rope(input.source, s.prefix, s.head_dim, RopeTable::Pairing::half));
  if (!input.source.find(long_factors) && !input.source.find(short_factors)) return table;
  PREMISE_TRY(const std::uint64_t original,
              meta.u64_or("phi3.rope.scaling.original_context_length", s.context_length));
  PREMISE_TRY(const double magnitude, meta.number_or("phi3.rope.scaling.attn_factor", 1.0));
  const std::uint64_t context = input.context == 0 ? s.context_length : input.context;
  const std::string_view tensor = context > original ? long_factors : short_factors;
  PREMISE_TRY(const auto factors, read_f32_vector(input.source, tensor));
  PREMISE_CHECK(divide_frequencies(table, factors, tensor));
  table.magnitude = static_cast<float>(magnitude);
  return table;
}

Qkv project_fused_qkv(PlanBuilder& b, const DecoderShape& s, std::uint32_t layer, ValueId x) {
  const std::uint64_t q_width = std::uint64_t{s.heads} * s.head_dim;
  const std::uint64_t kv_width = std::uint64_t{s.kv_heads} * s.head_dim;
  const WeightId weight =
      b.weight(layer_tensor(layer, "attn_qkv.weight"), {q_width + 2 * kv_width, s.hidden});
  const ValueId fused = b.linear(x, weight);
  return {b.slice(fused, 0, q_width), b.slice(fused, q_width, kv_width),
          b.slice(fused, q_width + kv_width, kv_width)};
}

ValueId fused_feed_forward(PlanBuilder& b, const DecoderShape& s, std::uint32_t layer, ValueId x) {
  const WeightId up =
      b.weight(layer_tensor(layer, "ffn_up.weight"), {2 * s.feed_forward, s.hidden});
  const ValueId both = b.linear(x, up);  // gate first, then up
  const ValueId gated = b.glu(GluOp::Activation::silu, b.slice(both, 0, s.feed_forward),
                              b.slice(both, s.feed_forward, s.feed_forward));
  return b.linear(gated,
                  b.weight(layer_tensor(layer, "ffn_down.weight"), {s.hidden, s.feed_forward}));
}

Result<Plan> plan_phi3(const ArchitectureInput& input) {
  PREMISE_TRY(const DecoderShape s, read_decoder_shape(input.source, "phi3"));
  PREMISE_TRY(RopeTable table, read_long_rope(input, s));
  PREMISE_TRY(const std::uint32_t window, read_window(input.source, s.prefix));
  const float scale = 1.0f / std::sqrt(static_cast<float>(s.head_dim));

  PlanBuilder b(input.source, "phi3");
  b.consumed(long_factors);
  b.consumed(short_factors);
  const std::uint32_t rope = b.rope(std::move(table));
  const std::uint32_t cache = b.cache_group(window, s.kv_heads, s.head_dim);
  const WeightId embedding = token_embedding(b, s);
  ValueId x = b.embed(embedding);
  for (std::uint32_t layer = 0; layer < s.layers; ++layer) {
    b.layer(static_cast<std::int32_t>(layer));
    const ValueId normed = hidden_norm(b, s, layer_tensor(layer, "attn_norm.weight"), x);
    const Qkv qkv = project_fused_qkv(b, s, layer, normed);
    const ValueId query = b.rope(qkv.query, rope, s.heads);
    const ValueId key = b.rope(qkv.key, rope, s.kv_heads);
    const ValueId mixed = b.attention(cache, query, key, qkv.value, s.heads, scale);
    x = b.add(x, project_output(b, s, layer, mixed));
    const ValueId after = hidden_norm(b, s, layer_tensor(layer, "ffn_norm.weight"), x);
    x = b.add(x, fused_feed_forward(b, s, layer, after));
  }
  return b.finish(output_logits(b, s, x, embedding), s.context_length);
}

}  // namespace

extern const Architecture phi3;
const Architecture phi3{"phi3", &plan_phi3};

}  // namespace premise
