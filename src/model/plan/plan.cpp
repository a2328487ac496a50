#include "model/plan/plan.h"

namespace premise {
namespace {

template <typename... Lambdas>
struct Overload : Lambdas... {
  using Lambdas::operator()...;
};
template <typename... Lambdas>
Overload(Lambdas...) -> Overload<Lambdas...>;

}  // namespace

const char* op_name(const OpBody& body) {
  static constexpr const char* names[] = {"embed", "rms_norm", "linear",    "slice",
                                          "rope",  "kv_write", "attention", "glu",
                                          "add",   "scale",    "softcap",   "select_rows"};
  static_assert(std::size(names) == std::variant_size_v<OpBody>);
  return names[body.index()];
}

std::vector<ValueId> inputs_of(const OpBody& body) {
  return std::visit(Overload{
                        [](const EmbedOp&) { return std::vector<ValueId>{}; },
                        [](const KvWriteOp& op) { return std::vector<ValueId>{op.key, op.value}; },
                        [](const AttentionOp& op) { return std::vector<ValueId>{op.query}; },
                        [](const GluOp& op) { return std::vector<ValueId>{op.gate, op.up}; },
                        [](const AddOp& op) { return std::vector<ValueId>{op.a, op.b}; },
                        [](const auto& op) { return std::vector<ValueId>{op.in}; },
                    },
                    body);
}

std::optional<ValueId> output_of(const OpBody& body) {
  return std::visit(Overload{
                        [](const KvWriteOp&) { return std::optional<ValueId>{}; },
                        [](const auto& op) { return std::optional<ValueId>{op.out}; },
                    },
                    body);
}

std::vector<WeightId> weights_of(const OpBody& body) {
  return std::visit(Overload{
                        [](const EmbedOp& op) { return std::vector<WeightId>{op.table}; },
                        [](const RmsNormOp& op) { return std::vector<WeightId>{op.weight}; },
                        [](const LinearOp& op) {
                          std::vector<WeightId> weights{op.weight};
                          if (op.bias) weights.push_back(*op.bias);
                          return weights;
                        },
                        [](const auto&) { return std::vector<WeightId>{}; },
                    },
                    body);
}

}  // namespace premise
