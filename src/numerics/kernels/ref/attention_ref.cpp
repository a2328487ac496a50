// The oracle of attention: the formula of the contract, one query and head at a time, in double.
// The scores of a query are computed once and kept; their maximum is taken off before exp.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "numerics/kernels/contracts/attention.h"
#include "numerics/quant/half.h"

namespace premise {
namespace {

constexpr std::int64_t tile_tokens = attention_tile_tokens;
constexpr std::int64_t scale_columns = attention_scale_columns;

float decode(std::uint16_t x) { return f16_to_f32(x); }
float decode(float x) { return x; }
void encode(float x, std::uint16_t& out) { out = f32_to_f16(x); }
void encode(float x, float& out) { out = x; }

/// Numbers one by one, as F16 or F32: where each lies in a block, and what is there.
template <typename Element>
struct Plain {
  // Where dimension 0 of the key at `place` of a block lies; the next follows 16 elements later.
  static std::int64_t key_offset(std::int64_t place, std::int64_t head_dim) {
    return place / tile_tokens * tile_tokens * head_dim + place % tile_tokens;
  }

  static void write(const float* key, const float* value, std::int32_t head_dim, std::int32_t place,
                    void* key_block, void* value_block) {
    Element* keys = static_cast<Element*>(key_block) + key_offset(place, head_dim);
    Element* values = static_cast<Element*>(value_block) + std::int64_t{place} * head_dim;
    for (std::int64_t d = 0; d < head_dim; ++d) {
      encode(key[d], keys[d * tile_tokens]);
      encode(value[d], values[d]);
    }
  }

  static float key(const void* block, std::int64_t place, std::int64_t d, std::int64_t head_dim) {
    return decode(
        static_cast<const Element*>(block)[key_offset(place, head_dim) + d * tile_tokens]);
  }
  static float value(const void* block, std::int64_t place, std::int64_t d, std::int64_t head_dim) {
    return decode(static_cast<const Element*>(block)[place * head_dim + d]);
  }
};

/// Q8_0: tiles of scales and codes.
struct Scaled {
  /// Where, in bytes of a block, the scale of dimension d at `place` lies, and the first code
  /// there.
  static std::int64_t scale_offset(std::int64_t place, std::int64_t d, std::int64_t head_dim) {
    return place / tile_tokens * 17 * head_dim +
           2 * (d / scale_columns * tile_tokens + place % tile_tokens);
  }
  static std::int64_t key_offset(std::int64_t place, std::int64_t d, std::int64_t head_dim) {
    return (place / tile_tokens * 17 + 1) * head_dim + d * tile_tokens + place % tile_tokens;
  }
  static std::int64_t value_offset(std::int64_t place, std::int64_t d, std::int64_t head_dim) {
    return (place / tile_tokens * 17 + 1) * head_dim + place % tile_tokens * head_dim + d;
  }

  static std::uint16_t scale_of(const float* x) {
    constexpr std::uint16_t infinite = 0x7c00, not_a_number = 0x7e00;
    float most = 0;
    for (std::int64_t i = 0; i < scale_columns; ++i) {
      if (!std::isfinite(x[i])) return not_a_number;
      most = std::max(most, std::abs(x[i]));
    }
    const float exact = most / 127.0f;
    std::uint16_t half = f32_to_f16(exact);
    if (f16_to_f32(half) < exact) ++half;
    return half == infinite ? not_a_number : half;
  }

  static std::int8_t code_of(float x, std::uint16_t half) {
    const float scale = f16_to_f32(half);
    if (half == 0 || std::isnan(scale)) return 0;
    return static_cast<std::int8_t>(std::nearbyint(x / scale));
  }

  static void write(const float* key, const float* value, std::int32_t head_dim, std::int32_t place,
                    void* key_block, void* value_block) {
    auto* keys = static_cast<std::int8_t*>(key_block);
    auto* values = static_cast<std::int8_t*>(value_block);
    for (std::int64_t d = 0; d < head_dim; ++d) {
      const std::int64_t first = d / scale_columns * scale_columns;
      const std::uint16_t key_scale = scale_of(key + first);
      const std::uint16_t value_scale = scale_of(value + first);
      std::memcpy(keys + scale_offset(place, d, head_dim), &key_scale, sizeof(key_scale));
      std::memcpy(values + scale_offset(place, d, head_dim), &value_scale, sizeof(value_scale));
      keys[key_offset(place, d, head_dim)] = code_of(key[d], key_scale);
      values[value_offset(place, d, head_dim)] = code_of(value[d], value_scale);
    }
  }

  static float number(const void* block, std::int64_t scale_at, std::int64_t code_at) {
    const auto* bytes = static_cast<const std::int8_t*>(block);
    std::uint16_t half;
    std::memcpy(&half, bytes + scale_at, sizeof(half));
    return f16_to_f32(half) * bytes[code_at];
  }
  static float key(const void* block, std::int64_t place, std::int64_t d, std::int64_t head_dim) {
    return number(block, scale_offset(place, d, head_dim), key_offset(place, d, head_dim));
  }
  static float value(const void* block, std::int64_t place, std::int64_t d, std::int64_t head_dim) {
    return number(block, scale_offset(place, d, head_dim), value_offset(place, d, head_dim));
  }
};

template <typename Cache>
double score(const AttentionArgs& args, const float* query, std::int64_t position) {
  const void* block = args.key_blocks[position / args.block_tokens];
  double dot = 0;
  for (std::int64_t d = 0; d < args.head_dim; ++d)
    dot += double{query[d]} * Cache::key(block, position % args.block_tokens, d, args.head_dim);
  const double scaled = args.scale * dot;
  return args.softcap > 0 ? args.softcap * std::tanh(scaled / args.softcap) : scaled;
}

template <typename Cache>
void attend(const AttentionArgs& args, const float* query, std::int64_t position, float* out) {
  const std::int64_t first =
      args.window > 0 ? std::max<std::int64_t>(0, position - args.window + 1) : 0;
  std::vector<double> weights(position - first + 1);
  for (std::int64_t p = first; p <= position; ++p)
    weights[p - first] = score<Cache>(args, query, p);
  const double largest = *std::max_element(weights.begin(), weights.end());
  double sum = 0;
  for (double& weight : weights) sum += weight = std::exp(weight - largest);

  std::vector<double> result(args.head_dim, 0.0);
  for (std::int64_t p = first; p <= position; ++p) {
    const void* block = args.value_blocks[p / args.block_tokens];
    for (std::int64_t d = 0; d < args.head_dim; ++d)
      result[d] +=
          weights[p - first] * Cache::value(block, p % args.block_tokens, d, args.head_dim);
  }
  for (std::int64_t d = 0; d < args.head_dim; ++d) out[d] = static_cast<float>(result[d] / sum);
}

template <typename Cache>
void run(const AttentionArgs& args) {
  for (std::int64_t query = 0; query < args.query_count; ++query) {
    for (std::int64_t head = 0; head < args.group_heads; ++head) {
      attend<Cache>(args, args.queries + query * args.query_stride + head * args.head_stride,
                    args.first_position + query,
                    args.out + query * args.out_query_stride + head * args.out_head_stride);
    }
  }
}

std::size_t scratch_floats(const AttentionArgs&) { return 0; }

using F16 = Plain<std::uint16_t>;
using F32 = Plain<float>;

}  // namespace

extern const AttentionKernels attention_ref;
constinit const AttentionKernels attention_ref = {
    .f16 = {"attention.f16.ref", F16::write, scratch_floats, run<F16>},
    .f32 = {"attention.f32.ref", F32::write, scratch_floats, run<F32>},
    .q8_0 = {"attention.q8_0.ref", Scaled::write, scratch_floats, run<Scaled>},
};

}  // namespace premise
