#include "engine/backend/cpu/cpu_backend.h"

#include <algorithm>
#include <cassert>
#include <chrono>

#include "model/plan/narrow.h"

namespace premise {
namespace {

constexpr std::size_t floats_in_line = 16;  // of a 64-byte cache line
constexpr std::size_t panels_in_tile = 4;   // of the widest kernels: threads cut between tiles

// Rows lie on whole cache lines, so that threads on neighbouring rows share none.
std::size_t row_stride(std::uint64_t width) {
  return (width + floats_in_line - 1) / floats_in_line * floats_in_line;
}

std::uint32_t group_heads(const Plan& plan, const AttentionOp& op) {
  return op.heads / plan.groups[op.group].kv_heads;
}

}  // namespace

CpuBackend::CpuBackend(const Plan& plan, ThreadTeam& team, Isa isa, BatchLimits limits)
    : plan_(narrowed(plan)),
      team_(team),
      isa_(isa),
      limits_(std::move(limits)),
      elementwise_(elementwise_kernels(isa)),
      attention_(attention_kernel(isa, limits_.kv_type)),
      quantize_(quantize_kernel(isa)) {}

Result<std::unique_ptr<Executable>> CpuBackend::create(const Plan& plan, const TensorSource& source,
                                                       ThreadTeam& team, Isa isa,
                                                       const BatchLimits& limits,
                                                       const PackedCacheOptions* cache) {
  assert(limits.blocks.size() == plan.groups.size());
  auto self = std::unique_ptr<CpuBackend>(new CpuBackend(plan, team, isa, limits));
  PREMISE_TRY(self->weights_, CpuWeights::load(self->plan_, source, team, cache));
  assert(self->attention_ != nullptr);
  auto program =
      compile_program(self->plan_, self->weights_, *self->attention_, isa, limits.activations);
  if (!program) return at(text({"{}", "{}"}, source.path()), std::move(program).error());
  self->program_ = std::move(program).value();
  PREMISE_TRY(self->cache_, KvStore::create(plan, limits.blocks, limits.kv_type));
  PREMISE_CHECK(self->allocate());
  if (self->program_.head) {
    const PackedMatrix& head = self->weights_.matrix(*self->program_.head);
    PREMISE_TRY(self->peaks_, PeakSearch::create(head, isa, limits.logits_rows, team));
    if (self->peaks_) {
      self->peak_clock_ = self->program_.clocks.size();
      self->program_.clocks.emplace_back(self->peaks_->kernel_name());
      self->seconds_.push_back(0.0);
    }
  }
  return std::unique_ptr<Executable>(std::move(self));
}

Status CpuBackend::allocate() {
  const auto capacity = [&](ValueId value) {
    return plan_.values[static_cast<std::size_t>(value)].rows == Rows::tokens ? limits_.tokens
                                                                              : limits_.logits_rows;
  };
  for (std::size_t v = 0; v < plan_.values.size(); ++v) {
    const auto id = static_cast<ValueId>(v);
    const bool used = program_.sources[v].owner == id && program_.lifetimes[v].first != SIZE_MAX;
    if (!used) program_.lifetimes[v] = {};
    program_.lifetimes[v].bytes = used ? capacity(id) * row_stride(width(id)) * sizeof(float) : 0;
  }
  const MemoryPlan memory = plan_memory(program_.lifetimes, 64);
  PREMISE_TRY(values_memory_, AlignedBuffer::allocate(memory.bytes));
  places_.resize(plan_.values.size());
  for (std::size_t v = 0; v < plan_.values.size(); ++v) {
    const ValueSource& source = program_.sources[v];
    const auto owner = static_cast<std::size_t>(source.owner);
    places_[v].data =
        reinterpret_cast<float*>(values_memory_.data() + memory.offsets[owner]) + source.column;
    places_[v].stride = row_stride(plan_.values[owner].width);
  }

  const std::size_t rows = std::max(limits_.tokens, limits_.logits_rows);
  if (program_.quantized_columns > 0) {
    const std::uint64_t bytes = quantized_bytes(rows, program_.quantized_columns);
    PREMISE_TRY(quantized_memory_, AlignedBuffer::allocate(bytes));
    quantized_ = quantized_rows_at(quantized_memory_.data(), rows, program_.quantized_columns);
  }
  if (program_.tile_columns > 0) {
    PREMISE_TRY(tiles_memory_,
                AlignedBuffer::allocate(tile_rows_bytes(limits_.tokens, program_.tile_columns)));
    tiles_ = tile_rows_at(tiles_memory_.data(), program_.tile_columns);
  }
  std::size_t angle_floats = 0;
  for (const RopeTable& rope : plan_.ropes)
    angle_floats += limits_.tokens * 2 * rope.frequencies.size();
  PREMISE_TRY(angles_memory_, AlignedBuffer::allocate(angle_floats * sizeof(float)));
  auto* angles = reinterpret_cast<float*>(angles_memory_.data());
  for (const RopeTable& rope : plan_.ropes) {
    angles_.push_back(angles);
    angles += limits_.tokens * 2 * rope.frequencies.size();
  }

  workers_.resize(static_cast<std::size_t>(team_.size()));
  for (Worker& worker : workers_) {
    PREMISE_TRY(worker.scratch, AlignedBuffer::allocate(scratch_bytes()));
  }
  seconds_.resize(program_.clocks.size(), 0.0);
  counters_ = std::make_unique<WorkCounter[]>(program_.phases.size());
  for (const Phase& phase : program_.phases)
    if (const auto* matmul = std::get_if<MatmulPhase>(&phase.body))
      parts_max_ = std::max(parts_max_, matmul->parts.size());
  shares_.reserve(2 * parts_max_);
  for (std::size_t i = 0; i < 2 * parts_max_; ++i) shares_.emplace_back(team_.size());
  plan_attention_lists();
  return {};
}

std::size_t CpuBackend::scratch_bytes() const {
  std::size_t bytes = 64;
  for (const Phase& phase : program_.phases) {
    if (const auto* matmul = std::get_if<MatmulPhase>(&phase.body)) {
      for (const auto& part : matmul->parts) {
        bytes = std::max(bytes, part.kernel->scratch_bytes);
        if (part.tile_kernel != nullptr) bytes = std::max(bytes, part.tile_kernel->scratch_bytes);
      }
    } else if (const auto* attention = std::get_if<AttentionPhase>(&phase.body)) {
      AttentionArgs args = attention_shape(attention->op);
      args.query_count = attention_queries_per_task;
      args.group_heads = static_cast<std::int32_t>(group_heads(plan_, attention->op));
      bytes = std::max(bytes, attention_->scratch_floats(args) * sizeof(float));
    }
  }
  return bytes;
}

std::size_t CpuBackend::clock_of(const Phase& phase) const {
  const auto* matmul = std::get_if<MatmulPhase>(&phase.body);
  return matmul != nullptr && on_tiles(*matmul) ? matmul->tile_clock : phase.clock;
}

StepHandle CpuBackend::launch(const BatchView& batch) {
  assert(batch.token_count() <= limits_.tokens);
  assert(batch.sequence_count() <= limits_.sequences);
  assert(batch.logits_rows.size() <= limits_.logits_rows);
  assert(batch.peak_rows == 0 || peaks_ != nullptr);
  batch_ = &batch;
  sequence_of_row_.resize(batch.token_count());
  for (std::size_t s = 0; s < batch.sequence_count(); ++s)
    for (auto row = batch.query_start[s]; row < batch.query_start[s + 1]; ++row)
      sequence_of_row_[static_cast<std::size_t>(row)] = static_cast<std::uint32_t>(s);
  deal_attention();
  if (batch.peak_rows > 0) peaks_->begin(quantized_, whole_rows(), batch.peak_rows);

  share_out(0);
  team_.run([this](int thread) {
    using Clock = std::chrono::steady_clock;
    auto begin = Clock::now();
    const auto clock = [&](std::size_t index) {
      if (thread != 0) return;
      const auto end = Clock::now();
      seconds_[index] += std::chrono::duration<double>(end - begin).count();
      begin = end;
    };
    for (std::size_t p = 0; p < program_.phases.size(); ++p) {
      const Phase& phase = program_.phases[p];
      if (thread == 0) share_out(p + 1);
      std::visit([&](const auto& body) { run(body, phase, thread); }, phase.body);
      team_.barrier();
      clock(clock_of(phase));
    }
    if (batch_->peak_rows == 0) return;
    find_peaks(thread);
    clock(peak_clock_);
  });
  return {++step_};
}

LogitsView CpuBackend::collect(StepHandle handle) {
  assert(handle.step == step_);
  static_cast<void>(handle);
  const Place& place = places_[static_cast<std::size_t>(plan_.logits)];
  LogitsView view{place.data, whole_rows(), place.stride, plan_.vocabulary, {}};
  if (batch_->peak_rows > 0) view.peaks = peaks_->collect();
  return view;
}

void CpuBackend::run(const RowPhase& phase, const Phase&, int thread) {
  const Range rows = split(row_count(phase.rows), team_.size(), thread);
  for (std::size_t index = rows.first; index < rows.last; ++index)
    for (const RowOp& op : phase.ops)
      std::visit([&](const auto& body) { run_row(body, index); }, op);
}

// A phase's shares are set while the one before it runs; the shares of both stand side by side.
void CpuBackend::share_out(std::size_t phase) {
  if (phase >= program_.phases.size()) return;
  const auto* matmul = std::get_if<MatmulPhase>(&program_.phases[phase].body);
  if (matmul == nullptr) return;
  for (std::size_t i = 0; i < matmul->parts.size(); ++i)
    shares_of(phase, i).reset(panel_count(weights_.matrix(matmul->parts[i].op.weight).rows),
                              panels_in_tile);
}

void CpuBackend::run(const MatmulPhase& phase, const Phase& in_program, int thread) {
  const bool head = peaks_ != nullptr && phase.parts[0].op.out == plan_.logits;
  const std::size_t rows =
      head ? whole_rows() : row_count(plan_.values[static_cast<std::size_t>(phase.in)].rows);
  if (rows == 0) return;
  const Place& in = places_[static_cast<std::size_t>(phase.in)];
  const Activations input{in.data, in.stride, quantized_, tiles_};
  const bool tiles = on_tiles(phase);
  const auto index = static_cast<std::size_t>(&in_program - program_.phases.data());
  for (std::size_t i = 0; i < phase.parts.size(); ++i) {
    const MatmulPhase::Part& part = phase.parts[i];
    const PackedMatrix& matrix = weights_.matrix(part.op.weight);
    const Place& out = places_[static_cast<std::size_t>(part.op.out)];
    const MatmulKernel& kernel = tiles ? *part.tile_kernel : *part.kernel;
    WorkShares& shares = shares_of(index, i);
    for (Range panels = shares.next(thread); !panels.empty(); panels = shares.next(thread))
      kernel.run(matrix, panels.first, panels.last, input, rows, out.data, out.stride,
                 workers_[static_cast<std::size_t>(thread)].scratch.data());
  }
}

// The rows behind the whole ones are quantized as those are; the head reads them once more.
void CpuBackend::find_peaks(int thread) {
  void* scratch = workers_[static_cast<std::size_t>(thread)].scratch.data();
  peaks_->coarsen(thread);
  team_.barrier();
  peaks_->bound(thread, scratch);
  team_.barrier();
  peaks_->settle(thread, scratch);
}

OpReport CpuBackend::report(const Op& op, const MatmulPhase::Part& part) const {
  const PackedMatrix& matrix = weights_.matrix(part.op.weight);
  OpReport row{op.layer, op_name(op.body), "", "", part.kernel->name, 0};
  row.weight = plan_.weights[static_cast<std::size_t>(part.op.weight)].name;
  row.type = traits(matrix.dtype).name;
  row.weight_bytes = panel_count(matrix.rows) * matrix.panel_bytes;
  row.layout = name_of(matrix.layout);
  if (part.tile_kernel != nullptr) row.tile_kernel = part.tile_kernel->name;
  row.path = product_path(isa_, *part.kernel, part.tile_kernel);
  // Rows whose logits are wanted are too few for tiles: compile_program() keeps them off.
  const bool few = plan_.values[static_cast<std::size_t>(part.op.in)].rows == Rows::logits;
  row.fast = *row.path >= (few ? fast_path(vectors_of(isa_)) : fast_path(isa_));
  row.products = matrix.rows * matrix.columns;
  return row;
}

std::vector<OpReport> CpuBackend::report() const {
  std::vector<const MatmulPhase::Part*> parts(plan_.values.size());  // by what they write
  for (const Phase& phase : program_.phases)
    if (const auto* matmul = std::get_if<MatmulPhase>(&phase.body))
      for (const MatmulPhase::Part& part : matmul->parts)
        parts[static_cast<std::size_t>(part.op.out)] = &part;
  std::vector<OpReport> rows;
  for (const Op& op : plan_.ops) {
    if (const auto* linear = std::get_if<LinearOp>(&op.body)) {
      rows.push_back(report(op, *parts[static_cast<std::size_t>(linear->out)]));
      continue;
    }
    OpReport row{op.layer, op_name(op.body), "", "", "", 0};
    if (std::holds_alternative<AttentionOp>(op.body) ||
        std::holds_alternative<KvWriteOp>(op.body)) {
      row.kernel = attention_->name;
    } else if (std::holds_alternative<SliceOp>(op.body)) {
      row.kernel = "view";
    } else if (const auto* embed = std::get_if<EmbedOp>(&op.body)) {
      const PackedMatrix& matrix = weights_.matrix(embed->table);
      row.weight = plan_.weights[static_cast<std::size_t>(embed->table)].name;
      row.type = traits(matrix.dtype).name;
      row.kernel = "decode_row";
    } else {
      row.kernel = elementwise_.name;
      if (const auto weights = weights_of(op.body); !weights.empty())
        row.weight = plan_.weights[static_cast<std::size_t>(weights[0])].name;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<KernelTime> CpuBackend::times() const {
  std::vector<KernelTime> times;
  for (std::size_t i = 0; i < seconds_.size(); ++i)
    times.push_back({program_.clocks[i], seconds_[i]});
  return times;
}

std::uint64_t CpuBackend::workspace_bytes() const {
  std::uint64_t bytes = values_memory_.bytes() + quantized_memory_.bytes() + tiles_memory_.bytes() +
                        angles_memory_.bytes();
  for (const Worker& worker : workers_) bytes += worker.scratch.bytes();
  if (peaks_) bytes += peaks_->bytes();
  return bytes;
}

Result<std::unique_ptr<Executable>> compile_cpu(const Plan& plan, const TensorSource& source,
                                                ThreadTeam& team, Isa isa,
                                                const BatchLimits& limits,
                                                const PackedCacheOptions* cache) {
  return CpuBackend::create(plan, source, team, isa, limits, cache);
}

}  // namespace premise
