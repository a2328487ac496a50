#include "engine/backend/reference/interpreter.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cmath>

#include "numerics/kernels/elementwise.h"
#include "numerics/kernels/matmul.h"
#include "numerics/quant/decode.h"

namespace premise {
namespace {

const ElementwiseKernels& elementwise() { return elementwise_kernels(Isa::ref); }

Status check_type(const Plan& plan, const TensorSource& source, const Weight& weight) {
  const DType dtype = source.tensors()[weight.source_index].dtype;
  if (traits(dtype).computes) return {};
  return error(ErrorCode::bad_input,
               {"{}: tensor {} has type {}, which Premise cannot compute with ({})",
                "{}：张量 {} 的类型为 {}，Premise 无法用它计算（{}）"},
               source.path(), weight.name, traits(dtype).name, plan.architecture);
}

}  // namespace

Interpreter::Interpreter(const Plan& plan, const TensorSource& source, ThreadTeam& team)
    : plan_(plan),
      source_(source),
      team_(team),
      values_(plan.values.size()),
      seconds_(std::variant_size_v<OpBody>, 0.0) {}

Result<std::unique_ptr<Executable>> Interpreter::create(const Plan& plan,
                                                        const TensorSource& source,
                                                        ThreadTeam& team,
                                                        const BatchLimits& limits) {
  assert(limits.kv_type == DType::f32);
  for (const Weight& weight : plan.weights) PREMISE_CHECK(check_type(plan, source, weight));
  auto self = std::unique_ptr<Interpreter>(new Interpreter(plan, source, team));
  for (std::size_t g = 0; g < plan.groups.size(); ++g) {
    const CacheGroup& group = plan.groups[g];
    const std::size_t floats = std::size_t{group.layers} * limits.blocks[g] * kv_block_tokens *
                               group.kv_heads * group.head_dim;
    self->caches_.push_back(
        {std::vector<float>(floats), std::vector<float>(floats), limits.blocks[g]});
  }
  return std::unique_ptr<Executable>(std::move(self));
}

std::size_t Interpreter::width_of(ValueId value) const {
  return plan_.values[static_cast<std::size_t>(value)].width;
}

std::size_t Interpreter::rows_of(ValueId value) const {
  return plan_.values[static_cast<std::size_t>(value)].rows == Rows::tokens
             ? batch_->token_count()
             : batch_->logits_rows.size();
}

TensorView Interpreter::weight(WeightId id) const {
  return source_.view(plan_.weights[static_cast<std::size_t>(id)].source_index);
}

std::vector<float> Interpreter::weight_values(WeightId id) const {
  const TensorView view = weight(id);
  std::vector<float> values(view.shape.elements());
  decode_blocks(view.dtype, view.bytes.data(), values.data(), values.size());
  return values;
}

StepHandle Interpreter::launch(const BatchView& batch) {
  batch_ = &batch;
  for (const Op& op : plan_.ops) {
    if (const auto out = output_of(op.body))
      values_[static_cast<std::size_t>(*out)].assign(rows_of(*out) * width_of(*out), 0.0f);
    const auto begin = std::chrono::steady_clock::now();
    std::visit([this](const auto& body) { run(body); }, op.body);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    seconds_[op.body.index()] += taken.count();
  }
  return {++step_};
}

LogitsView Interpreter::collect(StepHandle handle) {
  assert(handle.step == step_);
  static_cast<void>(handle);
  return {data(plan_.logits), batch_->logits_rows.size(), plan_.vocabulary, plan_.vocabulary, {}};
}

void Interpreter::run(const EmbedOp& op) {
  const TensorView table = weight(op.table);
  const std::size_t width = width_of(op.out);
  for (std::size_t row = 0; row < batch_->token_count(); ++row) {
    const auto token = static_cast<std::uint64_t>(batch_->tokens[row]);
    float* out = data(op.out) + row * width;
    decode_blocks(table.dtype, table.row(token).data(), out, width);
    elementwise().scale(out, op.scale, width, out);
  }
}

void Interpreter::run(const RmsNormOp& op) {
  const std::vector<float> scale = weight_values(op.weight);
  const std::size_t width = width_of(op.in) / op.heads;
  for (std::size_t i = 0; i < rows_of(op.in) * op.heads; ++i)
    elementwise().rms_norm(data(op.in) + i * width, scale.data(), op.eps, width,
                           data(op.out) + i * width);
}

void Interpreter::run(const LinearOp& op) {
  const TensorView w = weight(op.weight);
  const std::size_t width = width_of(op.out);
  team_.run([&](int thread) {
    const Range rows = split(w.shape.rows(), team_.size(), thread);
    matmul_reference(w, data(op.in), rows_of(op.in), width_of(op.in), data(op.out), width,
                     rows.first, rows.last);
  });
  if (!op.bias) return;
  const std::vector<float> bias = weight_values(*op.bias);
  for (std::size_t row = 0; row < rows_of(op.out); ++row) {
    float* out = data(op.out) + row * width;
    elementwise().add(out, bias.data(), width, out);
  }
}

void Interpreter::run(const SliceOp& op) {
  const std::size_t width = width_of(op.out);
  for (std::size_t row = 0; row < rows_of(op.out); ++row)
    std::copy_n(data(op.in) + row * width_of(op.in) + op.offset, width, data(op.out) + row * width);
}

void Interpreter::run(const RopeOp& op) {
  const RopeTable& table = plan_.ropes[op.table];
  const std::size_t pairs = table.frequencies.size();
  const std::size_t head_dim = width_of(op.in) / op.heads;
  std::vector<float> cosine(pairs), sine(pairs);
  values_[static_cast<std::size_t>(op.out)] = values_[static_cast<std::size_t>(op.in)];
  for (std::size_t row = 0; row < batch_->token_count(); ++row) {
    for (std::size_t i = 0; i < pairs; ++i) {
      const double angle = double{table.frequencies[i]} * batch_->positions[row];
      cosine[i] = static_cast<float>(std::cos(angle)) * table.magnitude;
      sine[i] = static_cast<float>(std::sin(angle)) * table.magnitude;
    }
    for (std::size_t head = 0; head < op.heads; ++head) {
      float* x = data(op.out) + (row * op.heads + head) * head_dim;
      const auto rotate = table.pairing == RopeTable::Pairing::half ? elementwise().rope_half
                                                                    : elementwise().rope_adjacent;
      rotate(x, cosine.data(), sine.data(), 2 * pairs);
    }
  }
}

float* Interpreter::cache_row(GroupCache& cache, std::vector<float>& side, std::uint32_t group,
                              std::uint32_t slot, std::size_t sequence, std::int32_t position) {
  const BlockTableView& table = batch_->tables[group];
  const auto logical = static_cast<std::size_t>(position / kv_block_tokens);
  const std::int32_t block = table.entries[sequence * table.stride + logical];
  assert(block >= 0 && static_cast<std::size_t>(block) < cache.blocks);
  const std::size_t width =
      std::size_t{plan_.groups[group].kv_heads} * plan_.groups[group].head_dim;
  const std::size_t row = (slot * cache.blocks + static_cast<std::size_t>(block)) *
                              static_cast<std::size_t>(kv_block_tokens) +
                          static_cast<std::size_t>(position % kv_block_tokens);
  return side.data() + row * width;
}

void Interpreter::run(const KvWriteOp& op) {
  GroupCache& cache = caches_[op.group];
  const std::size_t width = width_of(op.key);
  for (std::size_t s = 0; s < batch_->sequence_count(); ++s) {
    for (auto row = batch_->query_start[s]; row < batch_->query_start[s + 1]; ++row) {
      const auto r = static_cast<std::size_t>(row);
      const std::int32_t position = batch_->positions[r];
      std::copy_n(data(op.key) + r * width, width,
                  cache_row(cache, cache.keys, op.group, op.slot, s, position));
      std::copy_n(data(op.value) + r * width, width,
                  cache_row(cache, cache.values, op.group, op.slot, s, position));
    }
  }
}

void Interpreter::run(const AttentionOp& op) {
  team_.run([&](int thread) {
    for (std::size_t s = 0; s < batch_->sequence_count(); ++s) {
      const auto begin = static_cast<std::size_t>(batch_->query_start[s]);
      const auto count = static_cast<std::size_t>(batch_->query_start[s + 1]) - begin;
      const Range heads = split(count * op.heads, team_.size(), thread);
      for (std::size_t i = heads.first; i < heads.last; ++i)
        attend(op, s, begin + i / op.heads, i % op.heads);
    }
  });
}

// Softmax over all visible positions in two passes, sums in double.
void Interpreter::attend(const AttentionOp& op, std::size_t sequence, std::size_t row,
                         std::size_t head) {
  const CacheGroup& group = plan_.groups[op.group];
  GroupCache& cache = caches_[op.group];
  const std::size_t dim = group.head_dim;
  const std::size_t kv_offset = head / (op.heads / group.kv_heads) * dim;
  const float* query = data(op.query) + (row * op.heads + head) * dim;
  const std::int32_t position = batch_->positions[row];
  const auto window = static_cast<std::int32_t>(group.window);
  const std::int32_t first = window == 0 ? 0 : std::max(0, position - window + 1);

  std::vector<double> scores(static_cast<std::size_t>(position - first + 1));
  for (std::int32_t p = first; p <= position; ++p) {
    const float* key = cache_row(cache, cache.keys, op.group, op.slot, sequence, p) + kv_offset;
    double dot = 0.0;
    for (std::size_t d = 0; d < dim; ++d) dot += double{query[d]} * key[d];
    double score = dot * op.scale;
    if (op.softcap > 0.0f) score = op.softcap * std::tanh(score / op.softcap);
    scores[static_cast<std::size_t>(p - first)] = score;
  }
  const double highest = *std::ranges::max_element(scores);
  double total = 0.0;
  for (double& score : scores) total += score = std::exp(score - highest);

  std::vector<double> sums(dim, 0.0);
  for (std::int32_t p = first; p <= position; ++p) {
    const float* value = cache_row(cache, cache.values, op.group, op.slot, sequence, p) + kv_offset;
    const double share = scores[static_cast<std::size_t>(p - first)] / total;
    for (std::size_t d = 0; d < dim; ++d) sums[d] += share * value[d];
  }
  float* out = data(op.out) + (row * op.heads + head) * dim;
  for (std::size_t d = 0; d < dim; ++d) out[d] = static_cast<float>(sums[d]);
}

void Interpreter::run(const GluOp& op) {
  const auto gated = op.activation == GluOp::Activation::silu ? elementwise().silu_mul
                                                              : elementwise().gelu_tanh_mul;
  gated(data(op.gate), data(op.up), rows_of(op.out) * width_of(op.out), data(op.out));
}

void Interpreter::run(const AddOp& op) {
  elementwise().add(data(op.a), data(op.b), rows_of(op.out) * width_of(op.out), data(op.out));
}

void Interpreter::run(const ScaleOp& op) {
  elementwise().scale(data(op.in), op.factor, rows_of(op.out) * width_of(op.out), data(op.out));
}

void Interpreter::run(const SoftcapOp& op) {
  elementwise().softcap(data(op.in), op.cap, rows_of(op.out) * width_of(op.out), data(op.out));
}

void Interpreter::run(const SelectRowsOp& op) {
  const std::size_t width = width_of(op.out);
  for (std::size_t i = 0; i < batch_->logits_rows.size(); ++i)
    std::copy_n(data(op.in) + static_cast<std::size_t>(batch_->logits_rows[i]) * width, width,
                data(op.out) + i * width);
}

std::vector<OpReport> Interpreter::report() const {
  std::vector<OpReport> rows;
  for (const Op& op : plan_.ops) {
    OpReport row{op.layer, op_name(op.body), "", "", fmt::format("{}.ref", op_name(op.body)), 0};
    if (const auto weights = weights_of(op.body); !weights.empty()) {
      const TensorInfo& tensor =
          source_.tensors()[plan_.weights[static_cast<std::size_t>(weights[0])].source_index];
      row.weight = tensor.name;
      row.type = traits(tensor.dtype).name;
      row.weight_bytes = tensor.bytes;
      if (std::holds_alternative<LinearOp>(op.body)) {
        row.path = ProductPath::scalar;
        row.products = tensor.shape.elements();
      }
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<KernelTime> Interpreter::times() const {
  std::vector<KernelTime> times;
  for (const Op& op : plan_.ops) {
    const std::string kernel = fmt::format("{}.ref", op_name(op.body));
    if (std::ranges::find(times, kernel, &KernelTime::kernel) == times.end())
      times.push_back({kernel, seconds_[op.body.index()]});
  }
  return times;
}

std::uint64_t Interpreter::weight_bytes() const {
  std::uint64_t bytes = 0;
  for (const Weight& weight : plan_.weights) bytes += source_.tensors()[weight.source_index].bytes;
  return bytes;
}

std::uint64_t Interpreter::cache_bytes() const {
  std::uint64_t bytes = 0;
  for (const GroupCache& cache : caches_)
    bytes += (cache.keys.size() + cache.values.size()) * sizeof(float);
  return bytes;
}

std::uint64_t Interpreter::workspace_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& value : values_) bytes += value.size() * sizeof(float);
  return bytes;
}

Result<std::unique_ptr<Executable>> compile_reference(const Plan& plan, const TensorSource& source,
                                                      ThreadTeam& team, const BatchLimits& limits) {
  return Interpreter::create(plan, source, team, limits);
}

}  // namespace premise
