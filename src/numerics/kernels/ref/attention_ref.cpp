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

double score(const AttentionArgs& args, const float* query, std::int64_t position) {
  const std::int64_t slot = position % args.block_tokens;
  const std::uint16_t* tile = args.key_blocks[position / args.block_tokens] +
                              slot / tile_tokens * tile_tokens * args.head_dim;
  double dot = 0;
  for (std::int64_t d = 0; d < args.head_dim; ++d) {
    dot += double{query[d]} * f16_to_f32(tile[d * tile_tokens + slot % tile_tokens]);
  }
  const double scaled = args.scale * dot;
  return args.softcap > 0 ? args.softcap * std::tanh(scaled / args.softcap) : scaled;
}

void attend(const AttentionArgs& args, const float* query, std::int64_t position, float* out) {
  const std::int64_t first =
      args.window > 0 ? std::max<std::int64_t>(0, position - args.window + 1) : 0;
  std::vector<double> weights(position - first + 1);
  for (std::int64_t p = first; p <= position; ++p) weights[p - first] = score(args, query, p);
  const double largest = *std::max_element(weights.begin(), weights.end());
  double sum = 0;
  for (double& weight : weights) sum += weight = std::exp(weight - largest);

  std::vector<double> result(args.head_dim, 0.0);
  for (std::int64_t p = first; p <= position; ++p) {
    const std::uint16_t* value =
        args.value_blocks[p / args.block_tokens] + p % args.block_tokens * args.head_dim;
    for (std::int64_t d = 0; d < args.head_dim; ++d) {
      result[d] += weights[p - first] * f16_to_f32(value[d]);
    }
  }
  for (std::int64_t d = 0; d < args.head_dim; ++d) out[d] = static_cast<float>(result[d] / sum);
}

void run(const AttentionArgs& args) {
  for (std::int64_t query = 0; query < args.query_count; ++query) {
    for (std::int64_t head = 0; head < args.group_heads; ++head) {
      attend(args, args.queries + query * args.query_stride + head * args.head_stride,
             args.first_position + query,
             args.out + query * args.out_query_stride + head * args.out_head_stride);
    }
  }
}

std::size_t scratch_floats(const AttentionArgs&) { return 0; }

}  // namespace

extern const AttentionKernel attention_ref;
constinit const AttentionKernel attention_ref = {"attention.ref", scratch_floats, run};

}  // namespace premise
