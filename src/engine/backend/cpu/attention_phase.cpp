// Attention phases: tasks small enough to keep every thread busy, dealt out as threads get free.
#include <algorithm>
#include <cassert>

#include "engine/backend/cpu/cpu_backend.h"

namespace premise {

// One list of tasks for each shape of attention in the plan: layers that share a cache group, a
// number of heads and the rows of their queries share their tasks.
void CpuBackend::plan_attention_lists() {
  task_list_of_phase_.assign(program_.phases.size(), 0);
  for (std::size_t p = 0; p < program_.phases.size(); ++p) {
    const auto* phase = std::get_if<AttentionPhase>(&program_.phases[p].body);
    if (phase == nullptr) continue;
    const AttentionOp& op = phase->op;
    const Rows rows = rows_of(op.query);
    const auto same = [&](const TaskList& list) {
      return list.group == op.group && list.heads == op.heads && list.rows == rows;
    };
    const auto found = std::ranges::find_if(task_lists_, same);
    task_list_of_phase_[p] = static_cast<std::size_t>(found - task_lists_.begin());
    if (found == task_lists_.end()) task_lists_.push_back({op.group, op.heads, rows, {}});
  }
}

// Neighbours of one sequence together, at most attention_queries_per_task; of each sequence the
// longest contexts first, since what is dealt last should be small.
std::vector<CpuBackend::QueryRun> CpuBackend::query_runs(Rows rows) const {
  constexpr auto most = static_cast<std::size_t>(attention_queries_per_task);
  std::vector<QueryRun> runs;
  const std::size_t count = row_count(rows);
  for (std::size_t begin = 0, end = 0; begin < count; begin = end) {
    const std::size_t first = token_of(rows, begin);
    const std::uint32_t sequence = sequence_of_row_[first];
    for (end = begin + 1; end < count; ++end) {
      const std::size_t next = token_of(rows, end);
      if (next != first + (end - begin) || sequence_of_row_[next] != sequence) break;
    }
    for (std::size_t last = end; last > begin;) {
      const std::size_t cut = std::max(begin, last - std::min(last, most));
      runs.push_back({sequence, cut, last - cut, batch_->positions[token_of(rows, cut)]});
      last = cut;
    }
  }
  return runs;
}

// Cuts the step's attention into tasks. Heads that share a KV head stay together, since they read
// the same keys, unless there are fewer tasks than threads.
void CpuBackend::deal_attention() {
  const auto threads = static_cast<std::size_t>(team_.size());
  for (TaskList& list : task_lists_) {
    const std::uint32_t kv_heads = plan_.groups[list.group].kv_heads;
    const std::uint32_t shared = list.heads / kv_heads;
    const std::vector<QueryRun> runs = query_runs(list.rows);
    std::uint32_t heads_a_task = shared;
    while (heads_a_task > 1 && runs.size() * kv_heads * (shared / heads_a_task) < threads)
      heads_a_task = (heads_a_task + 1) / 2;
    list.tasks.clear();
    for (const QueryRun& run : runs)
      for (std::uint32_t kv_head = 0; kv_head < kv_heads; ++kv_head)
        for (std::uint32_t h = 0; h < shared; h += heads_a_task)
          list.tasks.push_back(
              {run, kv_head, kv_head * shared + h, std::min(heads_a_task, shared - h)});
  }
  for (std::size_t p = 0; p < program_.phases.size(); ++p)
    if (std::holds_alternative<AttentionPhase>(program_.phases[p].body))
      counters_[p].reset(task_lists_[task_list_of_phase_[p]].tasks.size());
}

void CpuBackend::run(const AttentionPhase& phase, const Phase& in_program, int thread) {
  const auto index = static_cast<std::size_t>(&in_program - program_.phases.data());
  const std::vector<AttentionTask>& tasks = task_lists_[task_list_of_phase_[index]].tasks;
  Worker& worker = workers_[static_cast<std::size_t>(thread)];
  for (Range next = counters_[index].next(); !next.empty(); next = counters_[index].next())
    for (std::size_t t = next.first; t < next.last; ++t) attend(phase.op, tasks[t], worker);
}

AttentionArgs CpuBackend::attention_shape(const AttentionOp& op) const {
  const CacheGroup& group = plan_.groups[op.group];
  AttentionArgs args{};
  args.head_dim = static_cast<std::int32_t>(group.head_dim);
  args.window = static_cast<std::int32_t>(group.window);
  args.scale = op.scale;
  args.softcap = op.softcap;
  args.block_tokens = kv_block_tokens;
  return args;
}

void CpuBackend::attend(const AttentionOp& op, const AttentionTask& task, Worker& worker) {
  AttentionArgs args = attention_shape(op);
  const std::size_t dim = plan_.groups[op.group].head_dim;
  args.queries = row(op.query, task.run.first_row) + task.first_head * dim;
  args.query_stride = places_[static_cast<std::size_t>(op.query)].stride;
  args.head_stride = dim;
  args.out = row(op.out, task.run.first_row) + task.first_head * dim;
  args.out_query_stride = places_[static_cast<std::size_t>(op.out)].stride;
  args.out_head_stride = dim;
  args.query_count = static_cast<std::int32_t>(task.run.rows);
  args.group_heads = static_cast<std::int32_t>(task.heads);
  args.first_position = task.run.first_position;
  args.scratch = reinterpret_cast<float*>(worker.scratch.data());

  const std::size_t last = static_cast<std::size_t>(args.first_position) + task.run.rows - 1;
  const std::size_t blocks = last / static_cast<std::size_t>(kv_block_tokens) + 1;
  worker.key_blocks.assign(blocks, nullptr);
  worker.value_blocks.assign(blocks, nullptr);
  const auto window = static_cast<std::int32_t>(args.window);
  const std::int32_t oldest = window == 0 ? 0 : std::max(0, args.first_position - window + 1);
  for (auto b = static_cast<std::size_t>(oldest / kv_block_tokens); b < blocks; ++b) {
    const std::int32_t block = block_of(op.group, task.run.sequence, b);
    worker.key_blocks[b] = cache_.keys(op.group, op.slot, block, task.kv_head);
    worker.value_blocks[b] = cache_.values(op.group, op.slot, block, task.kv_head);
  }
  args.key_blocks = worker.key_blocks.data();
  args.value_blocks = worker.value_blocks.data();
  attention_->run(args);
}

std::int32_t CpuBackend::block_of(std::uint32_t group, std::size_t sequence,
                                  std::size_t logical) const {
  const BlockTableView& table = batch_->tables[group];
  return table.entries[sequence * table.stride + logical];
}

}  // namespace premise
