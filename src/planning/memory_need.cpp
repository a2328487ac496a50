// The engine's own allocations, said again as arithmetic: planning stands below the engine and may
// not ask it. tests/e2e/test_plan.py holds the two together, and `premise bench engine` compares
// the sum with the peak of resident memory.
#include "planning/memory_need.h"

#include <algorithm>

#include "model/plan/matrices.h"
#include "numerics/kernels/matmul.h"
#include "planning/byte_count.h"

namespace premise {
namespace {

constexpr std::uint64_t block_positions = 32;  // of the paged cache (engine/backend/backend.h)
constexpr std::uint64_t line_floats = 16;      // rows of values lie on whole cache lines

// Measured with smaps on Debian 12: pages of the program and its libraries that were touched, heap
// and stacks, 14.3 MB; the context of CUDA and cuBLAS's workspace, 0.5 GB on cards of the table.
constexpr std::uint64_t program_bytes = 14'300'000;
constexpr std::uint64_t card_context_bytes = 500'000'000;
// A token of a vocabulary as metadata: its string (32 bytes and often the heap), score and kind.
constexpr std::uint64_t token_metadata_bytes = 48;
// Panels unpacked for attention and multiplication (contracts/attention.h, matmul kernels).
constexpr std::uint64_t thread_scratch_bytes = 1'300'000;

std::uint64_t rounded_up(std::uint64_t value, std::uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

// Which value's memory each value is: a slice is a part of what it was cut from.
std::vector<std::size_t> owners_of(const Plan& plan) {
  std::vector<std::size_t> owner(plan.values.size());
  for (std::size_t v = 0; v < owner.size(); ++v) owner[v] = v;
  for (const Op& op : plan.ops)
    if (const auto* slice = std::get_if<SliceOp>(&op.body))
      owner[static_cast<std::size_t>(slice->out)] = owner[static_cast<std::size_t>(slice->in)];
  return owner;
}

// Inputs of multiplications with packed integer weights are quantized; the widest counts.
std::uint64_t quantized_columns(const SizedModel& model) {
  std::uint64_t columns = 0;
  for (const Op& op : model.plan.ops) {
    const auto* linear = std::get_if<LinearOp>(&op.body);
    if (linear == nullptr) continue;
    const auto id = static_cast<std::size_t>(linear->weight);
    const std::uint64_t width = model.plan.weights[id].shape.columns();
    const bool packed = traits(model.types[id]).block_elements > 1 && width % 32 == 0;
    if (packed) columns = std::max(columns, width);
  }
  return columns;
}

std::uint64_t angle_floats(const Plan& plan) {
  std::uint64_t floats = 0;
  for (const RopeTable& rope : plan.ropes) floats += 2 * rope.frequencies.size();
  return floats;
}

}  // namespace

Result<std::uint64_t> weight_bytes(const Weight& weight, DType type, bool is_matrix,
                                   const Capacity& machine) {
  const std::uint64_t rows = weight.shape.rows();
  const std::uint64_t columns = weight.shape.columns();
  if (!is_matrix) return weight.shape.elements() * sizeof(float);
  if (!machine.gpu) {
    auto bytes = packed_bytes(type, rows, columns);
    if (!bytes) return at(text({"tensor {}", "张量 {}"}, weight.name), std::move(bytes).error());
    return bytes;
  }
  ByteCount count;
  count.add(rows, row_bytes(type, columns).value_or(columns * sizeof(float)));
  return count.total(text({"tensor {}", "张量 {}"}, weight.name));
}

std::uint64_t cached_positions(const CacheGroup& group, const Workload& work) {
  const std::uint64_t whole = rounded_up(work.context, block_positions);
  if (group.window == 0) return whole;
  // The window before a step and the step's own tokens; both ends may lie inside a block.
  const std::uint64_t kept = group.window + work.tokens_per_step;
  return std::min(whole, rounded_up(kept, block_positions) + block_positions);
}

std::uint64_t touched_cache_bytes(const Plan& plan, const Workload& reserved, const Workload& run) {
  constexpr std::uint64_t huge_page = 2u << 20;
  std::uint64_t bytes = 0;
  for (const CacheGroup& group : plan.groups) {
    if (group.layers == 0) continue;
    const std::uint64_t regions = std::uint64_t{2} * group.layers;
    const std::uint64_t each = position_bytes(group, reserved.cache) / regions;
    const std::uint64_t whole = cached_positions(group, reserved) * reserved.concurrency * each;
    const std::uint64_t written = cached_positions(group, run) * run.concurrency * each;
    bytes += regions * std::min(whole, written + huge_page);
  }
  return bytes;
}

std::uint64_t position_bytes(const CacheGroup& group, DType type) {
  const std::uint64_t elements = std::uint64_t{2} * group.layers * group.kv_heads * group.head_dim;
  return elements / traits(type).block_elements * traits(type).block_bytes;
}

std::uint64_t live_bytes(const Plan& plan, std::uint64_t tokens, std::uint64_t logits_rows) {
  const std::vector<std::size_t> owner = owners_of(plan);
  const auto place = [&](ValueId value) { return owner[static_cast<std::size_t>(value)]; };
  std::vector<std::size_t> last(plan.values.size(), 0);
  for (std::size_t i = 0; i < plan.ops.size(); ++i) {
    for (const ValueId in : inputs_of(plan.ops[i].body)) last[place(in)] = i;
    if (const auto out = output_of(plan.ops[i].body)) last[place(*out)] = i;
  }
  if (plan.logits >= 0) last[place(plan.logits)] = plan.ops.size();
  std::vector<std::uint64_t> ending(plan.ops.size() + 1, 0);
  std::uint64_t alive = 0;
  std::uint64_t peak = 0;
  for (std::size_t i = 0; i < plan.ops.size(); ++i) {
    const auto out = output_of(plan.ops[i].body);
    if (out && place(*out) == static_cast<std::size_t>(*out)) {
      const PlanValue& value = plan.values[static_cast<std::size_t>(*out)];
      const std::uint64_t rows = value.rows == Rows::tokens ? tokens : logits_rows;
      const std::uint64_t bytes = rows * rounded_up(value.width, line_floats) * sizeof(float);
      alive += bytes;
      ending[last[place(*out)]] += bytes;
    }
    peak = std::max(peak, alive);
    alive -= ending[i];
  }
  return peak;
}

Result<MemoryNeed> memory_need(const SizedModel& model, const Workload& work,
                               const Capacity& machine) {
  const Plan& plan = model.plan;
  MemoryNeed need;
  ByteCount weights;
  const std::vector<bool> is_matrix = matrices_of(plan);
  for (std::size_t i = 0; i < plan.weights.size(); ++i) {
    PREMISE_TRY(const std::uint64_t bytes,
                weight_bytes(plan.weights[i], model.types[i], is_matrix[i], machine));
    weights.add(bytes);
  }
  PREMISE_TRY(need.weights, weights.total(text({"the weights", "权重"})));

  ByteCount cache;
  for (const CacheGroup& group : plan.groups)
    cache.add(cached_positions(group, work), position_bytes(group, work.cache), work.concurrency);
  PREMISE_TRY(need.cache, cache.total(text({"the cache of {} requests with {} tokens each",
                                            "{} 个并发请求（每个 {} 个词元）的缓存"},
                                           work.concurrency, work.context)));

  ByteCount activation;
  activation.add(live_bytes(plan, work.tokens_per_step, work.concurrency));
  activation.add(work.tokens_per_step, angle_floats(plan), sizeof(float));
  if (!machine.gpu) {
    const std::uint64_t rows = std::max(work.tokens_per_step, work.concurrency);
    if (const std::uint64_t columns = quantized_columns(model); columns > 0)
      activation.add(quantized_bytes(rows, columns));
    activation.add(static_cast<std::uint64_t>(machine.threads), thread_scratch_bytes);
  }
  PREMISE_TRY(need.activation, activation.total(text({"working memory", "工作内存"})));

  need.process =
      machine.gpu ? card_context_bytes : program_bytes + plan.vocabulary * token_metadata_bytes;
  ByteCount total;
  for (const std::uint64_t part : {need.weights, need.cache, need.activation, need.process})
    total.add(part);
  PREMISE_TRY(need.total, total.total(text({"the model", "该模型"})));
  return need;
}

}  // namespace premise
