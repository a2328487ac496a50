// What drawing one token costs over Gemma 3's vocabulary, beside the milliseconds of a decode step.
// Two rows: `usual` falls off as a language model's do (normal, and a few tokens far above), `flat`
// is the worst for filters, since nearly every token takes part.
#include <benchmark/benchmark.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "engine/sampling/logprobs.h"
#include "engine/sampling/sampler.h"

namespace premise {
namespace {

constexpr std::size_t vocabulary = 262'144;

std::vector<float> usual() {
  Random random(1);
  std::vector<float> logits(vocabulary);
  for (float& logit : logits) {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - random.uniform()));
    logit = static_cast<float>(2.5 * radius * std::cos(2.0 * std::numbers::pi * random.uniform()));
  }
  for (int rank = 0; rank < 100; ++rank)
    logits[random.bits() % vocabulary] = 20.0f - 2.0f * std::log(static_cast<float>(rank + 1));
  return logits;
}

std::vector<float> flat() {
  Random random(2);
  std::vector<float> logits(vocabulary);
  for (float& logit : logits) logit = static_cast<float>(random.uniform());
  return logits;
}

void draw(benchmark::State& state, const SamplingParams& params, const std::vector<float>& row,
          std::size_t prompt_tokens = 0) {
  std::vector<TokenId> prompt(prompt_tokens);
  for (std::size_t i = 0; i < prompt_tokens; ++i) prompt[i] = static_cast<TokenId>(i % 700);
  Sampler sampler(params, prompt);
  std::vector<float> logits = row;  // no case below changes it enough to matter
  for (auto _ : state) benchmark::DoNotOptimize(sampler.draw(logits));
}

void score(benchmark::State& state, const std::vector<float>& row) {
  for (auto _ : state) benchmark::DoNotOptimize(log_sum_exp(row));
}

void top(benchmark::State& state, const std::vector<float>& row) {
  for (auto _ : state) benchmark::DoNotOptimize(top_logprobs(row, 20));
}

const SamplingParams greedy{};
const SamplingParams plain{.temperature = 0.8f};
const SamplingParams chat{.temperature = 0.8f, .top_k = 40, .top_p = 0.95f, .min_p = 0.05f};
const SamplingParams top_p{.temperature = 0.8f, .top_p = 0.95f};
const SamplingParams typical{.temperature = 0.8f, .typical_p = 0.95f};
const SamplingParams min_p{.temperature = 0.8f, .min_p = 0.05f};
const SamplingParams mirostat{.mirostat = true};
const SamplingParams dry{.penalty_window = 0, .repetition_penalty = 1.1f, .dry_multiplier = 0.8f};

BENCHMARK_CAPTURE(draw, greedy_usual, greedy, usual());
BENCHMARK_CAPTURE(draw, plain_usual, plain, usual());
BENCHMARK_CAPTURE(draw, chat_usual, chat, usual());
BENCHMARK_CAPTURE(draw, chat_flat, chat, flat());
BENCHMARK_CAPTURE(draw, top_p_usual, top_p, usual());
BENCHMARK_CAPTURE(draw, top_p_flat, top_p, flat());
BENCHMARK_CAPTURE(draw, typical_usual, typical, usual());
BENCHMARK_CAPTURE(draw, typical_flat, typical, flat());
BENCHMARK_CAPTURE(draw, min_p_usual, min_p, usual());
BENCHMARK_CAPTURE(draw, min_p_flat, min_p, flat());
BENCHMARK_CAPTURE(draw, mirostat_usual, mirostat, usual());
BENCHMARK_CAPTURE(draw, penalties_after_8192_tokens, dry, usual(), 8192);
BENCHMARK_CAPTURE(score, log_sum_exp, usual());
BENCHMARK_CAPTURE(top, top_20_logprobs, usual());

}  // namespace
}  // namespace premise
