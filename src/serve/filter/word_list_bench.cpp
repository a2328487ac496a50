// What the filter costs: building a list, reading a text, and text that comes token by token, with
// 10,000 and 100,000 made-up words, half of them Chinese.
#include <benchmark/benchmark.h>

#include <memory>
#include <random>
#include <string>

#include "serve/filter/stream_filter.h"

namespace premise {
namespace {

std::string made_up_word(std::mt19937& random) {
  std::string word;
  if (random() % 2 == 0) {
    for (std::size_t n = 2 + random() % 4; n > 0; --n) {
      const auto code = static_cast<unsigned>(0x4E00 + random() % 3000);
      word += static_cast<char>(0xE0 | (code >> 12));
      word += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
      word += static_cast<char>(0x80 | (code & 0x3F));
    }
  } else {
    for (std::size_t n = 4 + random() % 8; n > 0; --n)
      word += static_cast<char>('a' + random() % 26);
  }
  return word;
}

std::string made_up_lines(std::size_t words) {
  std::mt19937 random(1);
  std::string lines;
  while (words-- > 0) lines += made_up_word(random) + "\n";
  return lines;
}

WordList made_up_list(std::size_t words) {
  const WordText file{"list", made_up_lines(words)};
  return *WordList::parse({&file, 1});
}

/// Of other words than the list, but of the same letters.
std::string made_up_text(std::size_t bytes) {
  std::mt19937 random(2);
  std::string text;
  while (text.size() < bytes) text += made_up_word(random) + (random() % 8 == 0 ? "。" : " ");
  return text;
}

void build_list(benchmark::State& state) {
  const WordText file{"list", made_up_lines(static_cast<std::size_t>(state.range(0)))};
  std::size_t bytes = 0;
  for (auto round : state) {
    const auto list = WordList::parse({&file, 1});
    bytes = list->memory_bytes();
  }
  state.counters["memory_bytes"] = static_cast<double>(bytes);
}
BENCHMARK(build_list)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond);

void read_text(benchmark::State& state) {
  const WordList list = made_up_list(static_cast<std::size_t>(state.range(0)));
  const std::string text = made_up_text(1 << 20);
  for (auto round : state) benchmark::DoNotOptimize(list.matches(text));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(read_text)->Arg(10'000)->Arg(100'000);

void stream_tokens(benchmark::State& state) {
  const auto list =
      std::make_shared<WordList>(made_up_list(static_cast<std::size_t>(state.range(0))));
  const std::string text = made_up_text(64 << 10);
  constexpr std::size_t token_bytes = 4;
  for (auto round : state) {
    StreamFilter filter(list, FilterAction::mask);
    for (std::size_t at = 0; at < text.size(); at += token_bytes)
      benchmark::DoNotOptimize(filter.feed(std::string_view(text).substr(at, token_bytes)));
    benchmark::DoNotOptimize(filter.finish());
  }
  state.SetItemsProcessed(state.iterations() *
                          static_cast<std::int64_t>(text.size() / token_bytes));
}
BENCHMARK(stream_tokens)->Arg(10'000)->Arg(100'000);

}  // namespace
}  // namespace premise
