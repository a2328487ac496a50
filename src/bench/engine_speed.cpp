#include "bench/engine_speed.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <string_view>
#include <utility>

namespace premise {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

Rate rate_of(std::vector<double> rates) {
  std::ranges::sort(rates);
  const std::size_t middle = rates.size() / 2;
  const double median =
      rates.size() % 2 == 1 ? rates[middle] : (rates[middle - 1] + rates[middle]) / 2.0;
  return {median, rates.front(), rates.back()};
}

// Tokens spread over the vocabulary, the same in every run. Speed does not depend on them, but the
// rows of the embedding that are read do.
std::vector<TokenId> spread_tokens(std::size_t count, std::uint64_t vocabulary) {
  std::vector<TokenId> tokens(count);
  std::uint64_t state = 1;
  for (TokenId& token : tokens) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    token = static_cast<TokenId>((state >> 33) % vocabulary);
  }
  return tokens;
}

Request request_of(std::size_t prompt, std::size_t generated, std::uint64_t vocabulary) {
  Request request;
  request.prompt = spread_tokens(prompt, vocabulary);
  request.max_tokens = generated;
  return request;
}

Result<double> prefill_once(Engine& engine, std::size_t tokens) {
  PREMISE_CHECK(engine.submit(request_of(tokens, 1, engine.plan().vocabulary)));
  std::vector<TokenEvent> events;
  const auto begin = Clock::now();
  while (!engine.idle()) engine.step(events);
  return static_cast<double>(tokens) / seconds_since(begin);
}

// Prompts of one token: the clock runs from the first generated token of all to the last.
Result<double> decode_once(Engine& engine, std::size_t batch, std::size_t generated) {
  for (std::size_t i = 0; i < batch; ++i)
    PREMISE_CHECK(engine.submit(request_of(1, generated + 1, engine.plan().vocabulary)));
  std::vector<TokenEvent> events;
  engine.step(events);  // the prompts
  const auto begin = Clock::now();
  while (!engine.idle()) engine.step(events);
  return static_cast<double>(batch * generated) / seconds_since(begin);
}

// One run that warms up, then as many as are counted.
Result<Rate> measure(std::size_t repetitions, const std::function<Result<double>()>& once,
                     const std::function<Status()>& step) {
  std::vector<double> rates;
  for (std::size_t i = 0; i < repetitions + 1; ++i) {
    PREMISE_TRY(const double rate, once());
    if (i > 0) rates.push_back(rate);
    PREMISE_CHECK(step());
  }
  return rate_of(std::move(rates));
}

std::vector<KernelShare> shares(const std::vector<KernelTime>& before,
                                const std::vector<KernelTime>& after) {
  std::map<std::string, double> seconds;
  double total = 0.0;
  for (std::size_t i = 0; i < after.size(); ++i) {
    const double spent = after[i].seconds - (i < before.size() ? before[i].seconds : 0.0);
    seconds[after[i].kernel] += spent;
    total += spent;
  }
  std::vector<KernelShare> result;
  for (const auto& [kernel, spent] : seconds)
    result.push_back({kernel, total > 0.0 ? spent / total : 0.0});
  std::ranges::sort(result, [](const KernelShare& a, const KernelShare& b) {
    return std::pair(b.share, std::string_view(a.kernel)) <
           std::pair(a.share, std::string_view(b.kernel));
  });
  return result;
}

}  // namespace

EngineOptions engine_options_for(const EngineBenchOptions& options) {
  EngineOptions engine;
  for (const std::size_t tokens : options.prompts)
    engine.context = std::max(engine.context, tokens + 1);
  engine.context = std::max(engine.context, options.generated + 2);
  for (const std::size_t batch : options.batches)
    engine.sequences = std::max(engine.sequences, batch);
  return engine;
}

Result<EngineBenchResult> bench_engine(
    Engine& engine, const EngineBenchOptions& options,
    const std::function<Status(std::size_t done, std::size_t total)>& progress) {
  const std::size_t runs =
      (options.prompts.size() + options.batches.size()) * (options.repetitions + 1);
  std::size_t done = 0;
  const auto step = [&] { return progress(++done, runs); };
  const auto before = engine.executable().times();
  EngineBenchResult result;
  for (const std::size_t tokens : options.prompts) {
    PREMISE_TRY(const Rate rate,
                measure(options.repetitions, [&] { return prefill_once(engine, tokens); }, step));
    result.prefill.push_back({tokens, rate});
  }
  for (const std::size_t batch : options.batches) {
    PREMISE_TRY(const Rate rate,
                measure(
                    options.repetitions,
                    [&] { return decode_once(engine, batch, options.generated); }, step));
    result.decode.push_back({batch, rate});
  }
  result.kernels = shares(before, engine.executable().times());
  return result;
}

}  // namespace premise
