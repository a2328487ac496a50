// premise complete: the raw continuation of a text.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/generate.h"
#include "cli/model_options.h"
#include "cli/read_input.h"
#include "cli/sampling_options.h"

namespace premise {
namespace {

using Json = nlohmann::ordered_json;

struct CompleteOptions {
  ModelOptions model;
  SamplingOptions sampling;
  std::string prompt;
  std::size_t tokens = 64;
  std::vector<std::string> stop;
  bool ignore_eos = false;
  bool json = false;
};

Json to_json(const GeneratedAnswer& g, double load_seconds, const SchedulerCounters& counters) {
  const GenerationTimings& t = g.timings;
  return {{"text", g.text},
          {"tokens", g.tokens},
          {"finish_reason", name_of(g.reason)},
          {"timings",
           {{"load_seconds", load_seconds},
            {"prompt_tokens", t.prompt_tokens},
            {"prompt_seconds", t.prompt_seconds},
            {"prompt_tokens_per_second", t.prompt_tokens_per_second()},
            {"generated_tokens", t.generated_tokens},
            {"generation_seconds", t.generation_seconds},
            {"tokens_per_second", t.tokens_per_second()},
            {"guessed_tokens", counters.guessed_tokens},
            {"guessed_right", counters.guessed_right}}}};
}

void say_timings(Console& console, const GenerationTimings& t) {
  console.say(text({"prompt: {} tokens at {:.0f} tokens/s; answer: {} tokens at {:.1f} tokens/s",
                    "提示：{} 个词元，{:.0f} 词元/秒；生成：{} 个词元，{:.1f} 词元/秒"},
                   t.prompt_tokens, t.prompt_tokens_per_second(), t.generated_tokens,
                   t.tokens_per_second()));
}

// The context that prompt and answer need; an Error says by how much they are too long.
Result<std::size_t> needed_context(const CompleteOptions& options, const TensorSource& source,
                                   std::size_t prompt_tokens) {
  std::size_t most = options.model.context;
  if (most == 0) {
    PREMISE_TRY(most, context_length(source));
  }
  const std::size_t total = prompt_tokens + options.tokens;
  if (total > most)
    return error(
               ErrorCode::usage,
               {"the prompt has {} tokens and -n asks for {} more, {} too many for a context of {}",
                "提示有 {} 个词元，-n 还要 {} 个，超出上下文 {} 个（上下文为 {} 个词元）"},
               prompt_tokens, options.tokens, total - most, most)
        .with_hint(
            options.model.context == 0
                ? text({"shorten the prompt or make -n smaller; the model was made for no more",
                        "请缩短提示或减小 -n；该模型不支持更长的上下文"})
                : text({"shorten the prompt, or make -n smaller or --context larger",
                        "请缩短提示、减小 -n 或增大 --context"}));
  return options.model.context != 0 ? most : std::max<std::size_t>(1, total);
}

Result<int> run_complete(Console& console, const CompleteOptions& options) {
  for (const std::string& stop : options.stop)
    if (stop.empty()) return error(ErrorCode::usage, {"--stop is empty", "--stop 为空"});
  std::string prompt = options.prompt;
  if (prompt == "-") {
    PREMISE_TRY(prompt, read_all(stdin, "standard input"));
  }
  PREMISE_TRY(const auto source, open_model(options.model.model));
  PREMISE_TRY(const Tokenizer tokenizer, Tokenizer::from_gguf(source->metadata()));
  Request request;
  request.prompt = tokenizer.encode(prompt);
  request.max_tokens = options.tokens;
  PREMISE_TRY(request.sampling, sampling_params(options.sampling, tokenizer));
  if (!options.ignore_eos) request.stop_tokens = tokenizer.vocabulary().end_of_generation;

  EngineOptions engine_options;
  PREMISE_TRY(engine_options.context, needed_context(options, *source, request.prompt.size()));
  PREMISE_TRY(LoadedModel loaded, load_model(options.model, engine_options, console));
  const auto sink = [&](std::string_view piece) {
    if (!options.json) console.write(piece, true);
    return console.out_is_open();
  };
  PREMISE_TRY(const GeneratedAnswer result, generate(*loaded.engine, tokenizer, std::move(request),
                                                     options.stop, console.interrupt(), sink));
  if (options.json) {
    console.write(to_json(result, loaded.load_seconds, loaded.engine->stats().counters)
                      .dump(-1, ' ', false, Json::error_handler_t::replace) +
                  "\n");
  } else {
    console.write("\n");
    if (console.err_is_terminal()) say_timings(console, result.timings);
  }
  if (result.reason == FinishReason::cancelled && console.interrupt().requested())
    return static_cast<int>(ErrorCode::cancelled);
  return 0;
}

CommandRun declare_complete(CLI::App& app, Language language) {
  const auto options = std::make_shared<CompleteOptions>();
  const auto say = [language](Phrase<> phrase) { return text(phrase).in(language); };
  add_model_options(app, options->model, language);
  app.add_option(
         "-p,--prompt", options->prompt,
         say({"text to continue; - reads standard input", "要续写的文本；- 表示读取标准输入"}))
      ->required();
  app.add_option("-n,--tokens", options->tokens,
                 say({"tokens to generate at most", "最多生成的词元数"}))
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{0}, std::size_t{1} << 30));
  add_context_option(app, options->model, language);
  add_speculative_option(app, options->model, language);
  add_sampling_options(app, options->sampling, language);
  app.add_option(
      "--stop", options->stop,
      say({"end the text before this; may be repeated", "遇到该文本即停止，可多次使用"}));
  app.add_flag("--ignore-eos", options->ignore_eos,
               say({"go on where the model would end", "忽略模型的结束词元"}));
  app.add_flag("--json", options->json, say({"print a JSON document", "输出 JSON"}));
  return [options](Console& console) { return run_complete(console, *options); };
}

}  // namespace

extern const Command complete_command;
const Command complete_command{
    .name = "complete",
    .order = 10,
    .summary = {"continue a text", "续写文本"},
    .examples =
        {"premise complete gemma3:270m-base -p \"The capital of France is\" -n 32\n"
         "cat story.txt | premise complete gemma3:270m-base -p - --temperature 0.8 --seed 7",
         "premise complete gemma3:270m-base -p \"中国的首都是\" -n 32\n"
         "cat story.txt | premise complete gemma3:270m-base -p - --temperature 0.8 --seed 7"},
    .declare = declare_complete};

}  // namespace premise
