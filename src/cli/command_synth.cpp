// premise synth: a model for measuring, before anything is downloaded.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/printable.h"
#include "base/units.h"
#include "cli/command.h"
#include "cli/model_options.h"
#include "cli/progress.h"
#include "synth/synthetic_model.h"

namespace premise {
namespace {

using Json = nlohmann::ordered_json;

struct SynthOptions {
  std::string architecture;
  std::string size;
  std::string type;
  std::string file;
  std::uint64_t seed = 0;
  bool force = false;
  bool json = false;
};

/// A model that took hours to fetch is not replaced by noise for a slip of the keyboard.
Status check_target(const SynthOptions& options) {
  std::error_code code;
  const auto status = std::filesystem::status(options.file, code);
  if (std::filesystem::is_directory(status))
    return error(ErrorCode::usage, {"-o {} is a folder", "-o {} 是目录"}, printable(options.file))
        .with_hint(text({"name the file to write, for example {}", "请写出文件名，例如 {}"},
                        printable((std::filesystem::path(options.file) / "model.gguf").string())));
  if (options.force || !std::filesystem::exists(status)) return {};
  return error(ErrorCode::usage, {"{} exists already", "{} 已存在"}, printable(options.file))
      .with_hint(text({"--force replaces it", "如需覆盖，请加 --force"}));
}

Result<int> run_synth(Console& console, const SynthOptions& options) {
  PREMISE_TRY(const SyntheticModel model,
              plan_synthetic(options.architecture, options.size, options.type, options.seed));
  PREMISE_CHECK(check_target(options));
  ProgressBar bar(console, text({"writing", "写出"}), ProgressUnit::bytes);
  PREMISE_CHECK(write_synthetic(model, options.file, [&](std::uint64_t done, std::uint64_t total) {
    bar.update(done, total);
    return stop_if_interrupted(console);
  }));
  bar.finish();
  if (options.json) {
    const Json document{{"path", options.file},
                        {"model", model.shape.name},
                        {"architecture", model.shape.shape.architecture},
                        {"size", model.shape.size},
                        {"type", model.recipe->name},
                        {"parameters", model.parameters},
                        {"vocabulary", model.shape.shape.vocabulary},
                        {"seed", model.seed},
                        {"bytes", model.bytes}};
    console.write(document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    return 0;
  }
  console.say(text({"{}: {}, {} parameters as {}, {}; its weights are random",
                    "{}：{}，{} 个参数，{}，{}；权重为随机值"},
                   printable(options.file), model.shape.name, model.parameters, model.recipe->name,
                   format_bytes(model.bytes)));
  return 0;
}

CommandRun declare_synth(CLI::App& app, Language language) {
  const auto options = std::make_shared<SynthOptions>();
  const auto say = [language](const Text& text) { return text.in(language); };
  app.add_option("--arch", options->architecture,
                 say(text({"architecture: {}", "架构：{}"}, synthetic_architectures())))
      ->required();
  app.add_option("--size", options->size,
                 say(text({"that of a published model; tiny is for tests\n{}",
                           "已发布模型的规模；tiny 用于测试\n{}"},
                          synthetic_sizes())))
      ->required();
  app.add_option("--type", options->type,
                 say(text({"weight type: {}", "权重类型：{}"}, recipe_names())))
      ->required();
  app.add_option("-o,--output", options->file,
                 say(text({"GGUF file to write", "要写出的 GGUF 文件"})))
      ->required();
  app.add_option("--seed", options->seed,
                 say(text({"other weights for another number", "不同的数得到不同的权重"})))
      ->capture_default_str()
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 53));
  app.add_flag("--force", options->force,
               say(text({"replace a file that exists", "覆盖已存在的文件"})));
  app.add_flag("--json", options->json, say(text({"print a JSON document", "输出 JSON"})));
  return [options](Console& console) { return run_synth(console, *options); };
}

}  // namespace

extern const Command synth_command;
const Command synth_command{
    .name = "synth",
    .order = 72,
    .summary = {"write a model with made-up weights, for measuring",
                "生成随机权重的模型，用于性能测量"},
    .examples = {"premise synth --arch qwen2 --size 0.5b --type q8_0 -o qwen2-0.5b-q8_0.gguf\n"
                 "premise bench engine qwen2-0.5b-q8_0.gguf",
                 "premise synth --arch qwen2 --size 0.5b --type q8_0 -o qwen2-0.5b-q8_0.gguf\n"
                 "premise bench engine qwen2-0.5b-q8_0.gguf"},
    .declare = declare_synth};

}  // namespace premise
