#include "cli/prediction_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "base/units.h"
#include "planning/history.h"
#include "planning/memory_need.h"
#include "planning/speed.h"
#include "planning/this_machine.h"
#include "store/resolve.h"
#include "store/store.h"

namespace premise {
namespace {

// The cache is made for the longest and the widest run, of which none may be both.
Result<double> predicted_memory(const SizedModel& model, const EngineBenchOptions& bench,
                                const Capacity& machine) {
  Workload reading;
  reading.context = *std::ranges::max_element(bench.prompts) + 1;
  Workload generating;
  generating.context = bench.generated + 2;
  generating.concurrency = *std::ranges::max_element(bench.batches);
  Workload reserved;
  reserved.context = std::max(reading.context, generating.context);
  reserved.concurrency = generating.concurrency;
  double most = 0;
  for (const Workload& run : {reading, generating}) {
    PREMISE_TRY(const MemoryNeed need, memory_need(model, run, machine));
    const std::uint64_t cache = touched_cache_bytes(model.plan, reserved, run);
    most = std::max(most, static_cast<double>(need.total - need.cache + cache));
  }
  return most;
}

Result<PredictionRecord> compare(const SizedModel& model, const EngineBenchOptions& bench,
                                 const EngineBenchResult& result, const Capacity& machine) {
  PredictionRecord record;
  record.time = static_cast<std::int64_t>(std::time(nullptr));
  record.type = model.type_name;
  PREMISE_TRY(record.memory_bytes.predicted, predicted_memory(model, bench, machine));
  const auto longest = std::ranges::max_element(result.prefill, {}, &PrefillResult::tokens);
  if (longest != result.prefill.end()) {
    Workload work;
    work.context = longest->tokens + 1;
    PREMISE_TRY(const Speed speed, predict_speed(model, work, machine, longest->tokens, 1));
    record.prefill_tokens_per_second = {speed.prefill_tokens_per_second, longest->rate.median};
  }
  const auto alone = std::ranges::find(result.decode, std::size_t{1}, &DecodeResult::batch);
  if (alone != result.decode.end()) {
    Workload work;
    work.context = bench.generated + 2;
    const std::uint64_t cached = std::max<std::uint64_t>(1, work.context / 2);
    PREMISE_TRY(const Speed speed, predict_speed(model, work, machine, 1, cached));
    record.decode_tokens_per_second = {speed.decode_tokens_per_second, alone->rate.median};
  }
  return record;
}

Result<PredictionRecord> record_of(const ModelOptions& options, const EngineBenchOptions& bench,
                                   const EngineBenchResult& result, const LoadedModel& loaded,
                                   std::uint64_t peak_bytes) {
  PREMISE_TRY(const ModelFile file, resolve_model(options.model, process_environment));
  PREMISE_TRY(const SizedModel model, open_sized_model(file.path));
  const int threads = loaded.host->team().size();
  PREMISE_TRY(const Capacity machine, measure_this_machine(threads, loaded.host->isa()));
  PREMISE_TRY(PredictionRecord record, compare(model, bench, result, machine));
  record.model = options.model;
  record.isa = name_of(loaded.host->isa());
  record.threads = static_cast<std::uint64_t>(threads);
  record.memory_bytes.measured = static_cast<double>(peak_bytes);
  return record;
}

std::string off(const Compared& compared) {
  return compared.measured == 0 ? "?" : fmt::format("{:+.0f} %", 100.0 * compared.error());
}

}  // namespace

void record_prediction(Console& console, const ModelOptions& options,
                       const EngineBenchOptions& bench, const EngineBenchResult& result,
                       const LoadedModel& loaded, std::uint64_t peak_bytes) {
  // The plain interpreter is an oracle, not something to plan for.
  if (loaded.host->isa() == Isa::ref) return;
  const auto record = record_of(options, bench, result, loaded, peak_bytes);
  if (!record) return console.report(record.error());
  console.say(text({"premise plan would have been off by: memory {}, prefill {}, decode {}",
                    "premise plan 的预测偏差：内存 {}，预填充 {}，解码 {}"},
                   off(record->memory_bytes), off(record->prefill_tokens_per_second),
                   off(record->decode_tokens_per_second)));
  const auto root = Store::default_root(process_environment);
  if (!root) return console.report(root.error());
  const Status kept = append_history(history_path(*root), *record);
  if (!kept) console.report(kept.error());
}

}  // namespace premise
