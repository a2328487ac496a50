#include "engine/backend/cpu/program.h"

#include <algorithm>

#include "numerics/kernels/matmul.h"

namespace premise {
namespace {

class Compiler {
 public:
  Compiler(const Plan& plan, const CpuWeights& weights, const AttentionKernel& attention, Isa isa,
           ActivationBits bits)
      : plan_(plan), weights_(weights), attention_(attention), isa_(isa), bits_(bits) {}

  Result<Program> run() {
    for (std::size_t v = 0; v < plan_.values.size(); ++v)
      program_.sources.push_back({static_cast<ValueId>(v), 0});
    program_.lifetimes.resize(plan_.values.size(), {SIZE_MAX, 0, 0});
    add_row_op(Rows::tokens, RopeAnglesOp{});
    for (std::size_t i = 0; i < plan_.ops.size(); ++i) {
      const OpBody& body = plan_.ops[i].body;
      if (std::holds_alternative<LinearOp>(body)) {
        PREMISE_TRY(i, add_linears(i));
      } else {
        std::visit([this](const auto& op) { add(op); }, body);
      }
    }
    touch(plan_.logits);  // read after the last phase
    if (const auto* last = std::get_if<MatmulPhase>(&program_.phases.back().body);
        last != nullptr && last->parts.size() == 1 && last->parts[0].op.out == plan_.logits)
      program_.head = last->parts[0].op.weight;
    return std::move(program_);
  }

 private:
  Rows rows_of(ValueId value) const { return plan_.values[static_cast<std::size_t>(value)].rows; }

  ActivationBits bits_of(ValueId value) const {
    return rows_of(value) == Rows::logits ? ActivationBits::sixteen : bits_;
  }

  std::size_t clock(const std::string& name) {
    auto& clocks = program_.clocks;
    const auto found = std::ranges::find(clocks, name);
    if (found != clocks.end()) return static_cast<std::size_t>(found - clocks.begin());
    clocks.push_back(name);
    return clocks.size() - 1;
  }

  // A value is alive in the phase that is being written.
  void touch(ValueId value) {
    const ValueId owner = program_.sources[static_cast<std::size_t>(value)].owner;
    Lifetime& life = program_.lifetimes[static_cast<std::size_t>(owner)];
    const std::size_t now = program_.phases.size() - 1;
    life.first = std::min(life.first, now);
    life.last = std::max(life.last, now);
  }

  void touch(const OpBody& body) {
    for (const ValueId in : inputs_of(body)) touch(in);
    if (const auto out = output_of(body)) touch(*out);
  }

  // Row operations join the open row phase; another kind of rows needs the barrier between, since
  // its rows are dealt to other threads.
  void add_row_op(Rows rows, RowOp op) {
    auto* open =
        program_.phases.empty() ? nullptr : std::get_if<RowPhase>(&program_.phases.back().body);
    if (open == nullptr || open->rows != rows) {
      program_.phases.push_back({RowPhase{rows, {}}, clock("rows")});
      open = &std::get<RowPhase>(program_.phases.back().body);
    }
    open->ops.push_back(op);
  }

  template <typename Op>
  void add(const Op& op) {
    add_row_op(rows_of(op.out), op);
    touch(OpBody{op});
  }
  void add(const KvWriteOp& op) {
    add_row_op(Rows::tokens, op);
    touch(OpBody{op});
  }
  void add(const AttentionOp& op) {
    program_.phases.push_back({AttentionPhase{op}, clock(attention_.name)});
    touch(OpBody{op});
  }
  void add(const LinearOp&) {}  // add_linears
  void add(const SliceOp& op) {
    const ValueSource& in = program_.sources[static_cast<std::size_t>(op.in)];
    program_.sources[static_cast<std::size_t>(op.out)] = {in.owner, in.column + op.offset};
  }

  // The run of linear operations from `first` on that share an input; returns the last one's index.
  Result<std::size_t> add_linears(std::size_t first) {
    MatmulPhase phase{std::get<LinearOp>(plan_.ops[first].body).in, {}};
    bool quantizes = false;
    std::size_t last = first;
    for (std::size_t i = first; i < plan_.ops.size(); ++i) {
      const auto* op = std::get_if<LinearOp>(&plan_.ops[i].body);
      if (op == nullptr || op->in != phase.in) break;
      PREMISE_TRY(const MatmulKernel* kernel, kernel_of(op->weight));
      quantizes |= kernel->activations == ActivationKind::int16;
      phase.parts.push_back({*op, kernel, tile_kernel_of(*op)});
      last = i;
    }
    const bool has_tiles = phase.has_tiles();
    if (quantizes || has_tiles) {
      add_row_op(rows_of(phase.in), QuantizeOp{phase.in, bits_of(phase.in), quantizes, has_tiles});
      touch(phase.in);
      const std::uint64_t columns = plan_.values[static_cast<std::size_t>(phase.in)].width;
      if (quantizes) program_.quantized_columns = std::max(program_.quantized_columns, columns);
      if (has_tiles) program_.tile_columns = std::max(program_.tile_columns, columns);
    }
    if (has_tiles) phase.tile_clock = clock(phase.parts.front().tile_kernel->name);
    const std::vector<MatmulPhase::Part> parts = phase.parts;
    program_.phases.push_back({std::move(phase), clock(parts.front().kernel->name)});
    for (const auto& part : parts) touch(OpBody{part.op});
    for (const auto& part : parts) {
      if (!part.op.bias) continue;
      add_row_op(rows_of(part.op.out), BiasOp{part.op.out, *part.op.bias});
      touch(part.op.out);
    }
    return last;
  }

  Result<const MatmulKernel*> kernel_of(WeightId weight) const {
    const PackedMatrix& matrix = weights_.matrix(weight);
    if (const MatmulKernel* kernel = matmul_kernel(isa_, matrix.layout)) return kernel;
    return error(ErrorCode::internal,
                 {"tensor {} ({}): no {} kernel multiplies layout {}",
                  "张量 {}（{}）：没有 {} 内核支持布局 {}"},
                 plan_.weights[static_cast<std::size_t>(weight)].name, traits(matrix.dtype).name,
                 name_of(isa_), name_of(matrix.layout))
        .with_hint(text({"PREMISE_ISA=ref computes every type, slowly",
                         "设置 PREMISE_ISA=ref 可计算所有类型，但速度较慢"}));
  }

  // By the input alone, so that all parts of a phase agree: every layout has one, or none.
  const MatmulKernel* tile_kernel_of(const LinearOp& op) const {
    if (bits_of(op.in) != ActivationBits::mixed) return nullptr;
    return tile_kernel(isa_, weights_.matrix(op.weight).layout);
  }

  const Plan& plan_;
  const CpuWeights& weights_;
  const AttentionKernel& attention_;
  Isa isa_;
  ActivationBits bits_;
  Program program_;
};

}  // namespace

Result<Program> compile_program(const Plan& plan, const CpuWeights& weights,
                                const AttentionKernel& attention, Isa isa, ActivationBits bits) {
  return Compiler(plan, weights, attention, isa, bits).run();
}

}  // namespace premise
