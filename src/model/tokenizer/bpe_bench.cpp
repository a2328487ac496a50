// Encoding speed of byte-level BPE, in bytes of text a second.
//
// With a real vocabulary: PREMISE_BENCH_TOKENIZER=tokenizer.json PREMISE_BENCH_TEXT=english.txt
// premise_tokenizer_bench. Without (run in the root of the sources): the small vocabulary of the
// goldens on a made-up text; its words fall into more tokens, so its figures are lower.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>

#include "model/tokenizer/tokenizer.h"

namespace premise {
namespace {

std::optional<std::string> read_file(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::stringstream bytes;
  bytes << file.rdbuf();
  return std::move(bytes).str();
}

std::string configuration() {
  if (const char* path = std::getenv("PREMISE_BENCH_TOKENIZER")) {
    return read_file(path).value_or("");
  }
  const auto golden = read_file("tests/golden/tokenizer/llama3.json");
  return golden ? nlohmann::json::parse(*golden)["tokenizer"].dump() : "";
}

std::string text() {
  if (const char* path = std::getenv("PREMISE_BENCH_TEXT")) return read_file(path).value_or("");
  std::string made_up;
  const std::string_view words[] = {"the", "engine", "reads", "weights", "and", "answers",
                                    "of",  "a",      "model", "in",      "its", "machine"};
  for (std::size_t i = 0; made_up.size() < 1'000'000; ++i) {
    made_up += words[i * 7919 % 101 % std::size(words)];
    made_up += i % 11 == 10 ? ".\n" : " ";
  }
  return made_up;
}

void encode(benchmark::State& state) {
  const auto tokenizer = Tokenizer::from_json(configuration());
  const std::string input = text();
  if (!tokenizer || input.empty()) {
    state.SkipWithError("no tokenizer or no text");
    return;
  }
  std::size_t count = 0;
  for (auto _ : state) count = tokenizer->encode(input).size();
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(input.size()));
  state.counters["bytes_per_token"] =
      static_cast<double>(input.size()) / static_cast<double>(count);
}
BENCHMARK(encode)->Unit(benchmark::kMillisecond);

void load(benchmark::State& state) {
  const std::string json = configuration();
  for (auto _ : state) benchmark::DoNotOptimize(Tokenizer::from_json(json));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(json.size()));
}
BENCHMARK(load)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace premise
