// The CPU backend: runs a compiled program, a whole step inside one parallel region.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/backend/cpu/kv_store.h"
#include "engine/backend/cpu/peak_search.h"
#include "engine/backend/cpu/program.h"
#include "engine/backend/cpu/weights.h"
#include "numerics/kernels/attention.h"
#include "numerics/kernels/elementwise.h"
#include "numerics/kernels/matmul.h"

namespace premise {

/// Queries of one attention task: enough to reuse a tile of keys, few enough to balance threads.
inline constexpr std::int32_t attention_queries_per_task = 32;

class CpuBackend final : public Executable {
 public:
  static Result<std::unique_ptr<Executable>> create(const Plan& plan, const TensorSource& source,
                                                    ThreadTeam& team, Isa isa,
                                                    const BatchLimits& limits,
                                                    const PackedCacheOptions* cache);

  StepHandle launch(const BatchView& batch) override;
  LogitsView collect(StepHandle handle) override;
  bool finds_peaks() const override { return peaks_ != nullptr; }
  const Plan& plan() const override { return plan_; }
  std::vector<OpReport> report() const override;
  std::vector<KernelTime> times() const override;
  std::uint64_t weight_bytes() const override { return weights_.bytes(); }
  std::uint64_t cache_bytes() const override { return cache_.bytes(); }
  std::uint64_t workspace_bytes() const override;

 private:
  // Rows of queries that follow each other in one sequence.
  struct QueryRun {
    std::size_t sequence;
    std::size_t first_row;  // of the query value: tokens, or rows whose logits are wanted
    std::size_t rows;
    std::int32_t first_position;
  };
  // A piece of one attention operation: one run, heads that share one KV head.
  struct AttentionTask {
    QueryRun run;
    std::uint32_t kv_head;
    std::uint32_t first_head;
    std::uint32_t heads;
  };
  struct Place {
    float* data = nullptr;
    std::size_t stride = 0;  // floats between rows
  };
  // What a thread needs for itself.
  struct Worker {
    AlignedBuffer scratch;
    std::vector<const void*> key_blocks;
    std::vector<const void*> value_blocks;
  };

  CpuBackend(const Plan& plan, ThreadTeam& team, Isa isa, BatchLimits limits);
  Status allocate();
  OpReport report(const Op& op, const MatmulPhase::Part& part) const;
  std::size_t scratch_bytes() const;
  /// Whether a phase of this step computes on tiles.
  bool on_tiles(const MatmulPhase& phase) const {
    return phase.has_tiles() && takes_tiles(batch_->token_count());
  }
  std::size_t clock_of(const Phase& phase) const;
  AttentionArgs attention_shape(const AttentionOp& op) const;

  float* row(ValueId value, std::size_t index) const {
    const Place& place = places_[static_cast<std::size_t>(value)];
    return place.data + index * place.stride;
  }
  std::size_t width(ValueId value) const {
    return plan_.values[static_cast<std::size_t>(value)].width;
  }
  std::size_t row_count(Rows rows) const {
    return rows == Rows::tokens ? batch_->token_count() : batch_->logits_rows.size();
  }
  /// The token of a row.
  std::size_t token_of(Rows rows, std::size_t index) const {
    return rows == Rows::tokens ? index : static_cast<std::size_t>(batch_->logits_rows[index]);
  }
  Rows rows_of(ValueId value) const { return plan_.values[static_cast<std::size_t>(value)].rows; }
  std::size_t whole_rows() const { return batch_->logits_rows.size() - batch_->peak_rows; }
  float* angles_of(std::size_t rope, std::size_t index) const {
    return angles_[rope] + index * 2 * plan_.ropes[rope].frequencies.size();
  }
  std::int32_t block_of(std::uint32_t group, std::size_t sequence, std::size_t logical) const;

  void run(const RowPhase& phase, const Phase& in_program, int thread);
  void run(const MatmulPhase& phase, const Phase& in_program, int thread);
  void run(const AttentionPhase& phase, const Phase& in_program, int thread);
  void share_out(std::size_t phase);
  WorkShares& shares_of(std::size_t phase, std::size_t part) {
    return shares_[phase % 2 * parts_max_ + part];
  }
  void find_peaks(int thread);
  void attend(const AttentionOp& op, const AttentionTask& task, Worker& worker);
  void plan_attention_lists();
  std::vector<QueryRun> query_runs(Rows rows) const;
  void deal_attention();

  void run_row(const EmbedOp& op, std::size_t index);
  void run_row(const RmsNormOp& op, std::size_t index);
  void run_row(const RopeOp& op, std::size_t index);
  void run_row(const KvWriteOp& op, std::size_t index);
  void run_row(const GluOp& op, std::size_t index);
  void run_row(const AddOp& op, std::size_t index);
  void run_row(const ScaleOp& op, std::size_t index);
  void run_row(const SoftcapOp& op, std::size_t index);
  void run_row(const SelectRowsOp& op, std::size_t index);
  void run_row(const QuantizeOp& op, std::size_t index);
  void run_row(const BiasOp& op, std::size_t index);
  void run_row(const RopeAnglesOp& op, std::size_t index);

  Plan plan_;
  ThreadTeam& team_;
  Isa isa_;
  BatchLimits limits_;
  const ElementwiseKernels& elementwise_;
  const AttentionKernel* attention_ = nullptr;  // for the type of the cache
  const QuantizeKernel& quantize_;

  CpuWeights weights_;
  Program program_;
  KvStore cache_;
  std::unique_ptr<PeakSearch> peaks_;  // null where the head has no kernel for it
  std::size_t peak_clock_ = 0;
  AlignedBuffer values_memory_;
  AlignedBuffer quantized_memory_;
  AlignedBuffer tiles_memory_;
  AlignedBuffer angles_memory_;
  QuantizedRows quantized_{};
  TileRows tiles_{};
  std::vector<Place> places_;    // by ValueId
  std::vector<float*> angles_;   // by rope table: [tokens][2][rotary_dim / 2], cosines first
  std::vector<Worker> workers_;  // by thread
  std::vector<std::uint32_t> sequence_of_row_;

  // Tasks of the step, by attention shape (cache group, number of heads and rows of the queries),
  // and the counter that hands them out in each attention phase.
  struct TaskList {
    std::uint32_t group;
    std::uint32_t heads;
    Rows rows;
    std::vector<AttentionTask> tasks;
  };
  std::vector<TaskList> task_lists_;
  std::vector<std::size_t> task_list_of_phase_;  // by phase
  std::unique_ptr<WorkCounter[]> counters_;      // by phase

  // Panels of the parts of a matmul phase, of those with an even and an odd number.
  std::vector<WorkShares> shares_;
  std::size_t parts_max_ = 0;

  const BatchView* batch_ = nullptr;
  std::vector<double> seconds_;  // by Program::clocks
  std::uint64_t step_ = 0;
};

}  // namespace premise
