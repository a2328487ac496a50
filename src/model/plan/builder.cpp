#include "model/plan/builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace premise {
namespace {

Shape shape_of(std::initializer_list<std::uint64_t> dims) {
  Shape shape;
  shape.rank = static_cast<std::uint8_t>(dims.size());
  std::ranges::copy(dims, shape.dims.begin());
  return shape;
}

}  // namespace

std::string to_string(const Shape& shape) {
  return fmt::format("[{}]", fmt::join(shape.dims.begin(), shape.dims.begin() + shape.rank, ", "));
}

PlanBuilder::PlanBuilder(const TensorSource& source, std::string_view architecture)
    : source_(source),
      weight_of_tensor_(source.tensors().size(), -1),
      consumed_(source.tensors().size(), false) {
  plan_.architecture = architecture;
}

void PlanBuilder::fail(Error error) {
  if (!error_) error_ = std::move(error);
}

WeightId PlanBuilder::take(std::size_t index) {
  if (weight_of_tensor_[index] < 0) {
    weight_of_tensor_[index] = static_cast<WeightId>(plan_.weights.size());
    const TensorInfo& tensor = source_.tensors()[index];
    plan_.weights.push_back({tensor.name, tensor.shape, index});
  }
  return weight_of_tensor_[index];
}

WeightId PlanBuilder::placeholder(std::initializer_list<std::uint64_t> shape) {
  plan_.weights.push_back({"", shape_of(shape), 0});
  return static_cast<WeightId>(plan_.weights.size() - 1);
}

WeightId PlanBuilder::weight(std::string_view name, std::initializer_list<std::uint64_t> shape) {
  if (auto found = optional_weight(name, shape)) return *found;
  fail(error(ErrorCode::bad_input,
             {"{}: tensor {} is missing (architecture {} needs it, shape {})",
              "{}：缺少张量 {}（架构 {} 需要它，形状为 {}）"},
             source_.path(), name, plan_.architecture, to_string(shape_of(shape))));
  return placeholder(shape);
}

std::optional<WeightId> PlanBuilder::optional_weight(std::string_view name,
                                                     std::initializer_list<std::uint64_t> shape) {
  const auto index = source_.find(name);
  if (!index) return std::nullopt;
  const TensorInfo& tensor = source_.tensors()[*index];
  const Shape expected = shape_of(shape);
  if (!(tensor.shape == expected)) {
    fail(error(ErrorCode::bad_input,
               {"{}: tensor {}: expected shape {}, the file has {}",
                "{}：张量 {}：应为形状 {}，文件中为 {}"},
               source_.path(), name, to_string(expected), to_string(tensor.shape)));
    return placeholder(shape);
  }
  return take(*index);
}

void PlanBuilder::consumed(std::string_view name) {
  if (const auto index = source_.find(name)) consumed_[*index] = true;
}

std::uint32_t PlanBuilder::rope(RopeTable table) {
  plan_.ropes.push_back(std::move(table));
  return static_cast<std::uint32_t>(plan_.ropes.size() - 1);
}

std::uint32_t PlanBuilder::cache_group(std::uint32_t window, std::uint32_t kv_heads,
                                       std::uint32_t head_dim) {
  plan_.groups.push_back({window, 0, kv_heads, head_dim});
  return static_cast<std::uint32_t>(plan_.groups.size() - 1);
}

ValueId PlanBuilder::value(const char* name, Rows rows, std::uint64_t width) {
  plan_.values.push_back({name, rows, width});
  return static_cast<ValueId>(plan_.values.size() - 1);
}

std::uint64_t PlanBuilder::width(ValueId id) const {
  return plan_.values[static_cast<std::size_t>(id)].width;
}

void PlanBuilder::push(OpBody body) { plan_.ops.push_back({layer_, std::move(body)}); }

ValueId PlanBuilder::embed(WeightId table, float scale) {
  const auto& shape = plan_.weights[static_cast<std::size_t>(table)].shape;
  const ValueId out = value("embedding", Rows::tokens, shape.columns());
  push(EmbedOp{table, scale, out});
  return out;
}

ValueId PlanBuilder::rms_norm(ValueId in, WeightId weight, float eps, std::uint32_t heads) {
  assert(plan_.weights[static_cast<std::size_t>(weight)].shape.columns() * heads == width(in));
  const ValueId out = value("norm", plan_.values[static_cast<std::size_t>(in)].rows, width(in));
  push(RmsNormOp{in, weight, eps, heads, out});
  return out;
}

ValueId PlanBuilder::linear(ValueId in, WeightId weight, std::optional<WeightId> bias) {
  const auto& shape = plan_.weights[static_cast<std::size_t>(weight)].shape;
  assert(shape.columns() == width(in));
  const ValueId out =
      value("linear", plan_.values[static_cast<std::size_t>(in)].rows, shape.rows());
  push(LinearOp{in, weight, bias, out});
  return out;
}

ValueId PlanBuilder::slice(ValueId in, std::uint64_t offset, std::uint64_t columns) {
  assert(offset + columns <= width(in));
  const ValueId out = value("slice", plan_.values[static_cast<std::size_t>(in)].rows, columns);
  push(SliceOp{in, offset, out});
  return out;
}

ValueId PlanBuilder::rope(ValueId in, std::uint32_t table, std::uint32_t heads) {
  assert(plan_.ropes[table].frequencies.size() * 2 <= width(in) / heads);
  const ValueId out = value("rope", Rows::tokens, width(in));
  push(RopeOp{in, table, heads, out});
  return out;
}

ValueId PlanBuilder::attention(std::uint32_t group, ValueId query, ValueId key, ValueId values,
                               std::uint32_t heads, float scale, float softcap) {
  CacheGroup& cache = plan_.groups[group];
  assert(width(query) == std::uint64_t{heads} * cache.head_dim);
  assert(width(key) == std::uint64_t{cache.kv_heads} * cache.head_dim);
  assert(width(values) == width(key) && heads % cache.kv_heads == 0);
  const std::uint32_t slot = cache.layers++;
  push(KvWriteOp{group, slot, key, values});
  const ValueId out = value("attention", Rows::tokens, width(query));
  push(AttentionOp{group, slot, query, heads, scale, softcap, out});
  return out;
}

ValueId PlanBuilder::glu(GluOp::Activation activation, ValueId gate, ValueId up) {
  assert(width(gate) == width(up));
  const ValueId out = value("glu", plan_.values[static_cast<std::size_t>(gate)].rows, width(gate));
  push(GluOp{activation, gate, up, out});
  return out;
}

ValueId PlanBuilder::add(ValueId a, ValueId b) {
  assert(width(a) == width(b));
  const ValueId out = value("sum", plan_.values[static_cast<std::size_t>(a)].rows, width(a));
  push(AddOp{a, b, out});
  return out;
}

ValueId PlanBuilder::scale(ValueId in, float factor) {
  const ValueId out = value("scaled", plan_.values[static_cast<std::size_t>(in)].rows, width(in));
  push(ScaleOp{in, factor, out});
  return out;
}

ValueId PlanBuilder::softcap(ValueId in, float cap) {
  const ValueId out = value("capped", plan_.values[static_cast<std::size_t>(in)].rows, width(in));
  push(SoftcapOp{in, cap, out});
  return out;
}

ValueId PlanBuilder::select_rows(ValueId in) {
  const ValueId out = value("selected", Rows::logits, width(in));
  push(SelectRowsOp{in, out});
  return out;
}

Result<Plan> PlanBuilder::finish(ValueId logits, std::uint64_t context_length) {
  if (error_) return std::move(*error_);
  const auto tensors = source_.tensors();
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (weight_of_tensor_[i] >= 0 || consumed_[i]) continue;
    return error(ErrorCode::bad_input,
                 {"{}: tensor {} {} has no place in architecture {}",
                  "{}：张量 {} {} 在架构 {} 中没有对应位置"},
                 source_.path(), tensors[i].name, to_string(tensors[i].shape), plan_.architecture)
        .with_hint(text({"computing without it would give another model's answers",
                         "忽略它会得到另一个模型的结果"}));
  }
  plan_.logits = logits;
  plan_.vocabulary = width(logits);
  plan_.context_length = context_length;
  for (const Op& op : plan_.ops)
    plan_.layers = std::max(plan_.layers, static_cast<std::uint64_t>(op.layer + 1));
  return std::move(plan_);
}

}  // namespace premise
