#include "serve/metrics_observer.h"

namespace premise {

void MetricsObserver::stepped(const EndpointState& state) {
  const auto move = [](Gauge& gauge, std::size_t now, std::size_t before) {
    if (now != before) gauge.add(static_cast<double>(now) - static_cast<double>(before));
  };
  const StepState& now = state.engine;
  const StepState& before = told_.engine;
  move(metrics_.requests_running, state.choices_running, told_.choices_running);
  move(metrics_.requests_waiting, state.choices_waiting, told_.choices_waiting);
  move(metrics_.kv_blocks_used, now.kv_blocks_used, before.kv_blocks_used);
  move(metrics_.kv_blocks_kept, now.kv_blocks_kept, before.kv_blocks_kept);
  move(metrics_.kv_blocks_total, now.kv_blocks_total, before.kv_blocks_total);
  if (now.preemptions > before.preemptions)
    metrics_.preemptions.add({model_}, now.preemptions - before.preemptions);
  const auto wrong = [](const StepState& s) { return s.guessed_tokens - s.guessed_right; };
  if (now.guessed_right > before.guessed_right)
    metrics_.guesses.add({model_, "right"}, now.guessed_right - before.guessed_right);
  if (wrong(now) > wrong(before))
    metrics_.guesses.add({model_, "wrong"}, wrong(now) - wrong(before));
  if (now.prompt_tokens + now.decode_rows > 0) {
    metrics_.step_prompt_tokens.observe(static_cast<double>(now.prompt_tokens));
    metrics_.step_decode_rows.observe(static_cast<double>(now.decode_rows));
  }
  told_ = state;
}

void MetricsObserver::ended(const RequestRecord& record) {
  metrics_.request_seconds.observe(record.seconds);
  const std::pair<const char*, std::size_t> counts[] = {
      {"prompt", record.usage.prompt_tokens},
      {"cached", record.usage.cached_tokens},
      {"completion", record.usage.completion_tokens}};
  for (const auto& [kind, count] : counts)
    if (count > 0) metrics_.tokens.add({kind, model_, record.owner}, count);
  if (record.usage.cached_tokens > 0) metrics_.cache_hits.add({"prefix"});
}

}  // namespace premise
