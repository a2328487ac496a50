// The plain interpreter of a plan: what every other backend is measured against.
//
// It does one operation after the other in F32, decodes each weight row from the file when it needs
// it, and keeps keys and values in F32. Nothing is fused, reordered or approximated, so that an
// answer that differs elsewhere points at the other backend. Rows and heads are shared out among
// the team, since order inside a row does not depend on it.
#pragma once

#include <vector>

#include "engine/backend/backend.h"

namespace premise {

class Interpreter final : public Executable {
 public:
  static Result<std::unique_ptr<Executable>> create(const Plan& plan, const TensorSource& source,
                                                    ThreadTeam& team, const BatchLimits& limits);

  StepHandle launch(const BatchView& batch) override;
  LogitsView collect(StepHandle) override;
  const Plan& plan() const override { return plan_; }
  std::vector<OpReport> report() const override;
  std::vector<KernelTime> times() const override;
  std::uint64_t weight_bytes() const override;
  std::uint64_t cache_bytes() const override;
  std::uint64_t workspace_bytes() const override;

 private:
  // Keys and values of one group: [layer slot][block][position in block][kv_heads * head_dim].
  struct GroupCache {
    std::vector<float> keys;
    std::vector<float> values;
    std::size_t blocks = 0;
  };

  Interpreter(const Plan& plan, const TensorSource& source, ThreadTeam& team);

  std::size_t rows_of(ValueId value) const;
  std::size_t width_of(ValueId value) const;
  float* data(ValueId value) { return values_[static_cast<std::size_t>(value)].data(); }
  TensorView weight(WeightId id) const;
  std::vector<float> weight_values(WeightId id) const;
  float* cache_row(GroupCache& cache, std::vector<float>& side, std::uint32_t group,
                   std::uint32_t slot, std::size_t sequence, std::int32_t position);

  void run(const EmbedOp& op);
  void run(const RmsNormOp& op);
  void run(const LinearOp& op);
  void run(const SliceOp& op);
  void run(const RopeOp& op);
  void run(const KvWriteOp& op);
  void run(const AttentionOp& op);
  void run(const GluOp& op);
  void run(const AddOp& op);
  void run(const ScaleOp& op);
  void run(const SoftcapOp& op);
  void run(const SelectRowsOp& op);
  void attend(const AttentionOp& op, std::size_t sequence, std::size_t row, std::size_t head);

  const Plan& plan_;
  const TensorSource& source_;
  ThreadTeam& team_;
  std::vector<std::vector<float>> values_;  // by ValueId, [rows, width], sized at each step
  std::vector<GroupCache> caches_;
  const BatchView* batch_ = nullptr;
  std::uint64_t step_ = 0;
  std::vector<double> seconds_;  // by kind of operation (index of OpBody)
};

}  // namespace premise
