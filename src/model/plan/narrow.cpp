#include "model/plan/narrow.h"

#include <type_traits>
#include <utility>

namespace premise {
namespace {

// Values that a key or value of some layer comes from: wanted for every token.
std::vector<bool> wanted_for_all(const Plan& plan) {
  std::vector<bool> wanted(plan.values.size(), false);
  for (auto op = plan.ops.rbegin(); op != plan.ops.rend(); ++op) {
    const auto out = output_of(op->body);
    if (out && !wanted[static_cast<std::size_t>(*out)]) continue;
    for (const ValueId in : inputs_of(op->body)) wanted[static_cast<std::size_t>(in)] = true;
  }
  return wanted;
}

// Replaces the values that an operation reads.
class Rewire {
 public:
  explicit Rewire(Plan& plan) : plan_(plan), narrow_(plan.values.size(), -1) {}

  /// The narrow form of a value, selected where it is first asked for.
  ValueId operator()(ValueId value) {
    const auto index = static_cast<std::size_t>(value);
    if (narrow_[index] < 0) {
      PlanValue row = plan_.values[index];
      if (row.rows == Rows::logits) return value;
      row.name += ".selected";
      row.rows = Rows::logits;
      narrow_[index] = static_cast<ValueId>(plan_.values.size());
      plan_.values.push_back(std::move(row));
      narrow_.push_back(-1);
      plan_.ops.push_back({layer_, SelectRowsOp{value, narrow_[index]}});
    }
    return narrow_[index];
  }
  void set_layer(std::int32_t layer) { layer_ = layer; }
  /// `value` is what `by` was.
  void rename(ValueId by, ValueId value) { narrow_[static_cast<std::size_t>(by)] = value; }

  void operator()(EmbedOp&) {}
  void operator()(KvWriteOp&) {}
  void operator()(AttentionOp& op) { op.query = (*this)(op.query); }
  void operator()(GluOp& op) {
    op.gate = (*this)(op.gate);
    op.up = (*this)(op.up);
  }
  void operator()(AddOp& op) {
    op.a = (*this)(op.a);
    op.b = (*this)(op.b);
  }
  template <typename Op>
  void operator()(Op& op) {
    op.in = (*this)(op.in);
  }

 private:
  Plan& plan_;
  std::int32_t layer_ = -1;  // of the operation that reads
  std::vector<ValueId> narrow_;  // by ValueId; -1: none yet
};

}  // namespace

Plan narrowed(const Plan& plan) {
  const std::vector<bool> wanted = wanted_for_all(plan);
  Plan out = plan;
  out.ops.clear();
  std::vector<Op> narrow;
  for (const Op& op : plan.ops) {
    const auto value = output_of(op.body);
    const bool all = !value || wanted[static_cast<std::size_t>(*value)];
    (all ? out.ops : narrow).push_back(op);
  }
  Rewire rewire(out);
  for (Op& op : narrow) {
    rewire.set_layer(op.layer);
    if (const auto* select = std::get_if<SelectRowsOp>(&op.body)) {
      rewire.rename(select->out, rewire(select->in));
      continue;
    }
    std::visit(rewire, op.body);
    out.values[static_cast<std::size_t>(*output_of(op.body))].rows = Rows::logits;
    out.ops.push_back(std::move(op));
  }
  rewire.set_layer(-1);
  out.logits = rewire(out.logits);
  return out;
}

}  // namespace premise
