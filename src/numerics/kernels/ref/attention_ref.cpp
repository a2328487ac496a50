// The oracle of attention: the formula of the contract, one query and head at a time, in double.
// The scores of a query are computed once and kept; their maximum is taken off before exp.
#include <algorithm>
#include <cmath>
#include <vector>

#include "numerics/kernels/contracts/attention.h"
#include "numerics/quant/half.h"

namespace premise {
namespace {

constexpr std::int64_t tile_tokens = attention_tile_tokens;

float decode(std::uint16_t x) { return f16_to_f32(x); }
float decode(float x) { return x; }
void encode(float x, std::uint16_t& out) { out = f32_to_f16(x); }
void encode(float x, float& out) { out = x; }

// Where dimension 0 of the key at `place` of a block lies; the next follows 16 elements later.
std::int64_t key_offset(std::int64_t place, std::int64_t head_dim) {
  return place / tile_tokens * tile_tokens * head_dim + place % tile_tokens;
}

template <typename Element>
void write(const float* key, const float* value, std::int32_t head_dim, std::int32_t place,
           void* key_block, void* value_block) {
  Element* keys = static_cast<Element*>(key_block) + key_offset(place, head_dim);
  Element* values = static_cast<Element*>(value_block) + std::int64_t{place} * head_dim;
  for (std::int64_t d = 0; d < head_dim; ++d) {
    encode(key[d], keys[d * tile_tokens]);
    encode(value[d], values[d]);
  }
}

template <typename Element>
double score(const AttentionArgs& args, const float* query, std::int64_t position) {
  const Element* key = static_cast<const Element*>(args.key_blocks[position / args.block_tokens]) +
                       key_offset(position % args.block_tokens, args.head_dim);
  double dot = 0;
  for (std::int64_t d = 0; d < args.head_dim; ++d) {
    dot += double{query[d]} * decode(key[d * tile_tokens]);
  }
  const double scaled = args.scale * dot;
  return args.softcap > 0 ? args.softcap * std::tanh(scaled / args.softcap) : scaled;
}

template <typename Element>
void attend(const AttentionArgs& args, const float* query, std::int64_t position, float* out) {
  const std::int64_t first =
      args.window > 0 ? std::max<std::int64_t>(0, position - args.window + 1) : 0;
  std::vector<double> weights(position - first + 1);
  for (std::int64_t p = first; p <= position; ++p)
    weights[p - first] = score<Element>(args, query, p);
  const double largest = *std::max_element(weights.begin(), weights.end());
  double sum = 0;
  for (double& weight : weights) sum += weight = std::exp(weight - largest);

  std::vector<double> result(args.head_dim, 0.0);
  for (std::int64_t p = first; p <= position; ++p) {
    const Element* value = static_cast<const Element*>(args.value_blocks[p / args.block_tokens]) +
                           p % args.block_tokens * args.head_dim;
    for (std::int64_t d = 0; d < args.head_dim; ++d) {
      result[d] += weights[p - first] * decode(value[d]);
    }
  }
  for (std::int64_t d = 0; d < args.head_dim; ++d) out[d] = static_cast<float>(result[d] / sum);
}

template <typename Element>
void run(const AttentionArgs& args) {
  for (std::int64_t query = 0; query < args.query_count; ++query) {
    for (std::int64_t head = 0; head < args.group_heads; ++head) {
      attend<Element>(args, args.queries + query * args.query_stride + head * args.head_stride,
                      args.first_position + query,
                      args.out + query * args.out_query_stride + head * args.out_head_stride);
    }
  }
}

std::size_t scratch_floats(const AttentionArgs&) { return 0; }

}  // namespace

extern const AttentionKernels attention_ref;
constinit const AttentionKernels attention_ref = {
    .f16 = {"attention.f16.ref", write<std::uint16_t>, scratch_floats, run<std::uint16_t>},
    .f32 = {"attention.f32.ref", write<float>, scratch_floats, run<float>},
};

}  // namespace premise
