// premise perplexity: how well a model foretells a text.
//
// The text is tokenized once with BOS; disjoint windows of N tokens, the tail dropped; the first
// token of each window is replaced by BOS where the model wants one; the tokens at positions
// N/2 + 1 … N - 1 are scored (255 of 512). This is how llama-perplexity counts, so that figures
// can be compared.
#include <CLI/CLI.hpp>
#include <cmath>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/model_options.h"
#include "cli/progress.h"
#include "cli/read_input.h"
#include "engine/sampling/logprobs.h"

namespace premise {
namespace {

struct PerplexityOptions {
  ModelOptions model;
  std::string file;
  bool json = false;
};

struct Sum {
  double negative_log = 0.0;
  double squared = 0.0;
  std::size_t tokens = 0;
};

// Adds the window's scored tokens: logits at position p foretell the token at p + 1. `progress`
// hears of every position.
Status score_window(Engine& engine, std::span<const TokenId> window, Console& console, Sum& sum,
                    const std::function<void(std::size_t position)>& progress) {
  const std::size_t first = window.size() / 2;
  return engine.score(window, first, [&](std::size_t position, std::span<float> logits) -> Status {
    PREMISE_CHECK(stop_if_interrupted(console));
    progress(position);
    if (position + 1 == window.size()) return {};
    const auto next = static_cast<std::size_t>(window[position + 1]);
    const double surprise = log_sum_exp(logits) - logits[next];
    if (!std::isfinite(surprise))
      return error(ErrorCode::no,
                   {"position {}: the model gives no finite probability",
                    "位置 {}：模型给出的概率不是有限值"},
                   position);
    sum.negative_log += surprise;
    sum.squared += surprise * surprise;
    ++sum.tokens;
    return {};
  });
}

Result<int> run_perplexity(Console& console, const PerplexityOptions& options) {
  PREMISE_TRY(const std::string text_of_file, read_file(options.file));
  EngineOptions engine_options;
  engine_options.context = options.model.context;
  const std::size_t size = engine_options.context;
  PREMISE_TRY(LoadedModel loaded, load_model(options.model, engine_options, console));
  PREMISE_TRY(const Tokenizer tokenizer, Tokenizer::from_gguf(loaded.source->metadata()));
  const auto tokens = tokenizer.encode(text_of_file, {.add_special = true, .parse_special = false});
  const std::size_t windows = tokens.size() / size;
  if (windows == 0)
    return error(ErrorCode::bad_input,
                 {"{}: {} tokens are less than one window of {}",
                  "{}：只有 {} 个词元，不足一个 {} 词元的窗口"},
                 options.file, tokens.size(), size)
        .with_hint(text(
            {"use a longer text or a smaller --context", "请使用更长的文本，或减小 --context"}));

  const Vocabulary& vocabulary = tokenizer.vocabulary();
  Sum sum;
  ProgressBar bar(console, text({"scoring", "评分"}));
  const auto show = [&](std::size_t done) { bar.update(done, windows * size); };
  show(0);
  for (std::size_t w = 0; w < windows; ++w) {
    std::vector<TokenId> window(tokens.begin() + static_cast<std::ptrdiff_t>(w * size),
                                tokens.begin() + static_cast<std::ptrdiff_t>((w + 1) * size));
    if (vocabulary.add_bos && vocabulary.bos) window[0] = *vocabulary.bos;
    PREMISE_CHECK(score_window(*loaded.engine, window, console, sum,
                               [&](std::size_t position) { show(w * size + position + 1); }));
  }
  bar.finish();

  const auto count = static_cast<double>(sum.tokens);
  const double mean = sum.negative_log / count;
  const double variance = sum.squared / count - mean * mean;
  const double perplexity = std::exp(mean);
  const double deviation = std::sqrt(std::max(0.0, variance) / count) * perplexity;
  if (options.json) {
    const nlohmann::ordered_json document{
        {"perplexity", perplexity}, {"tokens", sum.tokens}, {"standard_error", deviation},
        {"windows", windows},       {"context", size},
    };
    console.write(document.dump() + "\n");
  } else {
    console.write(fmt::format("{:.4f} ± {:.4f}\n", perplexity, deviation), true);
    console.say(text(
        {"{} tokens scored in {} windows of {}", "共评分 {0} 个词元：{1} 个窗口，每个 {2} 个词元"},
        sum.tokens, windows, size));
  }
  return 0;
}

CommandRun declare_perplexity(CLI::App& app, Language language) {
  const auto options = std::make_shared<PerplexityOptions>();
  const auto say = [language](Phrase<> phrase) { return text(phrase).in(language); };
  options->model.context = 512;
  add_model_options(app, options->model, language);
  app.add_option("FILE", options->file, say({"text to score", "待评分的文本文件"}))->required();
  app.add_option("--context", options->model.context, say({"tokens in a window", "窗口词元数"}))
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{4}, std::size_t{1} << 30));
  app.add_flag("--json", options->json, say({"print a JSON document", "输出 JSON"}));
  return [options](Console& console) { return run_perplexity(console, *options); };
}

}  // namespace

extern const Command perplexity_command;
const Command perplexity_command{
    .name = "perplexity",
    .order = 62,
    .summary = {"measure how well a model foretells a text", "测量模型对文本的困惑度"},
    .examples = {"premise perplexity gemma3:270m-base book.txt",
                 "premise perplexity gemma3:270m-base book.txt"},
    .declare = declare_perplexity};

}  // namespace premise
