#include "planning/speed.h"

#include <algorithm>

namespace premise {
namespace {

struct Cost {
  double bytes = 0;          // of weights that a step reads
  double int8_ops = 0;       // a token, multiplications with packed integer weights
  double float_ops = 0;      // a token, with F32, F16 and BF16 weights
  double head_int8_ops = 0;  // the same of the output matrix, which only wanted rows take
  double head_float_ops = 0;
};

Result<Cost> cost_of(const SizedModel& model, const Capacity& machine) {
  Cost cost;
  for (const Op& op : model.plan.ops) {
    const auto* linear = std::get_if<LinearOp>(&op.body);
    if (linear == nullptr) continue;
    const auto id = static_cast<std::size_t>(linear->weight);
    const Weight& weight = model.plan.weights[id];
    PREMISE_TRY(const std::uint64_t bytes, weight_bytes(weight, model.types[id], true, machine));
    cost.bytes += static_cast<double>(bytes);
    const double ops = 2.0 * static_cast<double>(weight.shape.elements());
    const bool packed = traits(model.types[id]).block_elements > 1;
    const bool is_head =
        model.plan.values[static_cast<std::size_t>(linear->out)].rows == Rows::logits;
    // Cards unpack weights and multiply in BF16.
    if (packed && !machine.gpu)
      (is_head ? cost.head_int8_ops : cost.int8_ops) += ops;
    else
      (is_head ? cost.head_float_ops : cost.float_ops) += ops;
  }
  return cost;
}

// Scores and mixing of one token that sees `seen` positions: two products of head_dim each.
double attention_ops(const Plan& plan, double seen) {
  double ops = 0;
  for (const Op& op : plan.ops)
    if (const auto* attention = std::get_if<AttentionOp>(&op.body)) {
      const CacheGroup& group = plan.groups[attention->group];
      const double visible = group.window == 0 ? seen : std::min<double>(seen, group.window);
      ops += 4.0 * attention->heads * group.head_dim * visible;
    }
  return ops;
}

double cache_bytes_read(const Plan& plan, DType type, double seen) {
  double bytes = 0;
  for (const CacheGroup& group : plan.groups) {
    const double visible = group.window == 0 ? seen : std::min<double>(seen, group.window);
    bytes += visible * static_cast<double>(position_bytes(group, type));
  }
  return bytes;
}

}  // namespace

Result<Speed> predict_speed(const SizedModel& model, const Workload& work,
                            const Capacity& machine) {
  constexpr std::uint64_t usual_prompt = 512;
  return predict_speed(model, work, machine, std::min(usual_prompt, work.context),
                       std::max<std::uint64_t>(1, work.context / 2));
}

Result<Speed> predict_speed(const SizedModel& model, const Workload& work, const Capacity& machine,
                            std::uint64_t prompt_tokens, std::uint64_t cached_tokens) {
  PREMISE_TRY(const Cost cost, cost_of(model, machine));
  const double int8_rate = machine.int8_ops_per_second.value * machine.prefill_efficiency;
  const double float_rate = machine.bf16_flops_per_second.value * machine.prefill_efficiency;
  const double attention_rate = machine.bf16_flops_per_second.value * machine.attention_efficiency;
  const double read_rate = machine.read_bytes_per_second.value * machine.decode_efficiency;
  const auto prompt = static_cast<double>(prompt_tokens);
  const auto cached = static_cast<double>(cached_tokens);
  const auto requests = static_cast<double>(work.concurrency);

  Speed speed;
  speed.prompt_tokens = prompt_tokens;
  speed.cached_tokens = cached_tokens;
  const double head = cost.head_int8_ops / int8_rate + cost.head_float_ops / float_rate;
  const double prefill = prompt * (cost.int8_ops / int8_rate + cost.float_ops / float_rate +
                                   attention_ops(model.plan, prompt / 2) / attention_rate) +
                         head;
  const double once = cost.bytes / read_rate;  // a short prompt still reads every weight
  speed.first_token_seconds = std::max(prefill, once);
  speed.prefill_tokens_per_second = prompt / speed.first_token_seconds;

  const double read =
      (cost.bytes + requests * cache_bytes_read(model.plan, work.cache, cached)) / read_rate;
  const double computed = requests * (cost.int8_ops / int8_rate + cost.float_ops / float_rate +
                                      head + attention_ops(model.plan, cached) / attention_rate);
  const double step = std::max(read, computed);
  speed.decode_tokens_per_second = requests / step;
  speed.decode_per_request = 1.0 / step;
  return speed;
}

}  // namespace premise
