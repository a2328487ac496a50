// premise plan: whether a model fits, how fast it will be, and what to do about either.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "base/printable.h"
#include "cli/command.h"
#include "cli/sizing_report.h"
#include "engine/backend/backend.h"
#include "numerics/device/available_memory.h"
#include "numerics/kernels/usable_isa.h"
#include "planning/devices.h"
#include "planning/this_machine.h"
#include "store/resolve.h"
#include "store/store.h"

namespace premise {
namespace {

constexpr std::uint64_t plan_context = 4096;

struct PlanOptions {
  std::string model;
  std::string parameters;
  std::string family;
  std::string type;
  std::string cache = "f16";
  std::string device;
  std::uint64_t context = 0;  // 0: plan_context, or what the model was made for
  std::uint64_t concurrency = 1;
  int threads = 0;
  bool table = false;
  bool json = false;
};

Result<const WeightRecipe*> recipe_named(const std::string& name) {
  if (const WeightRecipe* recipe = find_recipe(name)) return recipe;
  return error(ErrorCode::usage, {"unknown weight type \"{}\"", "未知权重类型“{}”"},
               printable(name))
      .with_hint(text({"known types: {}", "支持的类型：{}"}, recipe_names()));
}

// A model of the store is known by its name; where its blob lies says nothing to people.
Error as_typed(Error error, const std::string& path, const std::string& typed) {
  for (std::string* message : {&error.what.en, &error.what.zh})
    if (message->starts_with(path)) message->replace(0, path.size(), printable(typed));
  return error;
}

Result<SizedModel> model_of(const PlanOptions& options) {
  if (!options.parameters.empty()) {
    PREMISE_TRY(const double parameters, parse_parameters(options.parameters));
    PREMISE_TRY(const ShapeChoice choice, choose_shape(parameters, options.family));
    PREMISE_TRY(const WeightRecipe* recipe,
                recipe_named(options.type.empty() ? "q4_k_m" : options.type));
    return published_model(choice, parameters, *recipe);
  }
  PREMISE_TRY(const ModelFile file, resolve_model(options.model, process_environment));
  auto model = open_sized_model(file.path);
  if (!model) return as_typed(std::move(model).error(), file.path.string(), options.model);
  model->title = options.model;
  if (!options.type.empty()) {
    PREMISE_TRY(const WeightRecipe* recipe, recipe_named(options.type));
    retype(*model, *recipe);
  }
  return model;
}

Result<Capacity> machine_of(const PlanOptions& options) {
  if (options.device.empty() || options.device == "this") {
    auto forced = process_environment("PREMISE_ISA");
    if (forced && forced->empty()) forced.reset();
    PREMISE_TRY(const UsableIsa usable, usable_isa(forced));
    return measure_this_machine(options.threads, usable.isa);
  }
  PREMISE_TRY(const Capacity* device, find_device(options.device));
  return *device;
}

Result<Workload> work_of(const PlanOptions& options, const SizedModel& model) {
  Workload work;
  const std::uint64_t most = model.plan.context_length;
  if (options.context > most)
    return error(ErrorCode::usage,
                 {"a context of {} tokens was asked for; {} was made for {}",
                  "请求的上下文为 {} 个词元，而 {} 最多支持 {} 个"},
                 options.context, printable(model.title), most);
  work.context = options.context == 0 ? std::min(plan_context, most) : options.context;
  work.concurrency = options.concurrency;
  work.cache = *dtype_from_name(options.cache);
  PREMISE_CHECK(check_kv_type(model.plan, work.cache, printable(model.title)));
  return work;
}

Status check_subject(const PlanOptions& options) {
  const bool named = !options.model.empty();
  const bool counted = !options.parameters.empty();
  if (options.table && (named || counted))
    return error(ErrorCode::usage, {"--table sizes its own list of models",
                                    "--table 使用自带的模型列表，不接受 MODEL 或 --params"});
  if (!options.table && named == counted)
    return error(ErrorCode::usage, {"name either a MODEL or --params", "请指定 MODEL 或 --params"})
        .with_hint(text({"for example premise plan --params 7b, or premise plan --table",
                         "例如 premise plan --params 7b，或 premise plan --table"}));
  if (!options.family.empty() && !counted)
    return error(ErrorCode::usage, {"--family goes with --params", "--family 需与 --params 同用"});
  return {};
}

int show_table(Console& console, const PlanOptions& options, const std::vector<RuleRow>& rows,
               const Workload& work) {
  console.write(options.json ? rules_document(rows, work, console.language())
                             : rules_page(rows, work, console.language()));
  return 0;
}

// What cannot be read of the past is no reason to say nothing of the future.
std::vector<PredictionRecord> history_here(Console& console) {
  const auto root = Store::default_root(process_environment);
  if (!root) return {};
  auto history = read_history(history_path(*root));
  if (history) return std::move(history).value();
  console.report(history.error());
  return {};
}

Result<int> run_plan(Console& console, const PlanOptions& options) {
  PREMISE_CHECK(check_subject(options));
  if (options.table) {
    Workload work;
    work.context = options.context == 0 ? plan_context : options.context;
    work.concurrency = options.concurrency;
    PREMISE_TRY(const std::vector<RuleRow> rows, rules_of_thumb(work));
    return show_table(console, options, rows, work);
  }
  PREMISE_TRY(SizedModel model, model_of(options));
  PREMISE_TRY(const Workload work, work_of(options, model));
  PREMISE_TRY(const Capacity machine, machine_of(options));
  PREMISE_TRY(const Prediction prediction, predict(model, work, machine));
  PREMISE_TRY(std::vector<Suggestion> suggestions, advise(model, work, machine, prediction.fits));
  SizingReport report{.model = model,
                      .work = work,
                      .machine = machine,
                      .prediction = prediction,
                      .suggestions = std::move(suggestions),
                      .history = {},
                      .available_bytes = {}};
  if (machine.id == "this") {
    report.history = history_here(console);
    report.available_bytes = available_memory_bytes();
  }
  const bool dumb = process_environment("TERM") == "dumb";
  const bool colour = console.out_is_terminal() && !process_environment("NO_COLOR") && !dumb;
  console.write(options.json ? sizing_document(report, console.language())
                             : sizing_page(report, console.language(), colour));
  return 0;
}

CommandRun declare_plan(CLI::App& app, Language language) {
  const auto options = std::make_shared<PlanOptions>();
  const auto say = [language](Phrase<> phrase) { return text(phrase).in(language); };
  app.add_option("MODEL", options->model,
                 say({"name in the store, a GGUF or safetensors file or folder, or a config.json",
                      "模型库中的名称，GGUF 或 safetensors 文件或目录，或 config.json"}));
  app.add_option(
      "--params", options->parameters,
      say({"a size instead of a model: 0.5b, 7b, 405b", "以参数量代替模型：0.5b、7b、405b"}));
  app.add_option(
      "--family", options->family,
      text({"family whose shape --params takes: {}", "--params 采用的模型系列：{}"}, family_names())
          .in(language));
  app.add_option(
      "--type", options->type,
      say({"weight type, such as q4_k_m, q8_0, bf16 (default: as stored; q4_k_m for "
           "--params)",
           "权重类型，如 q4_k_m、q8_0、bf16（默认：文件中的类型；--params 为 q4_k_m）"}));
  app.add_option("--context", options->context,
                 say({"tokens that prompt and answer may have together (default: 4096, or what the "
                      "model was made for)",
                      "提示与回答合计的最大词元数（默认：4096，或模型的上限）"}))
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 30));
  app.add_option("--concurrency", options->concurrency,
                 say({"requests at the same time", "同时处理的请求数"}))
      ->capture_default_str()
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 20));
  app.add_option("--kv-type", options->cache, say({"type of the KV cache", "KV 缓存类型"}))
      ->capture_default_str()
      ->check(CLI::IsMember({"f16", "f32", "q8_0"}));
  app.add_option("--on", options->device,
                 say({"a device instead of this machine: rtx3060, a100-80, epyc-9354, …",
                      "以其他设备代替本机：rtx3060、a100-80、epyc-9354 等"}));
  app.add_option("-t,--threads", options->threads,
                 say({"threads to compute with (default: one for each physical core)",
                      "计算线程数（默认：每个物理核心一个）"}))
      ->check(CLI::Range(1, 1024));
  app.add_flag("--table", options->table,
               say({"common sizes and types beside the usual rules of thumb",
                    "列出常见规模与类型，并与经验值对照"}));
  app.add_flag("--json", options->json, say({"print a JSON document", "输出 JSON"}));
  return [options](Console& console) { return run_plan(console, *options); };
}

}  // namespace

extern const Command plan_command;
const Command plan_command{
    .name = "plan",
    .order = 7,
    .summary = {"say what a model needs, and whether it fits", "估算模型所需资源，判断能否容纳"},
    .examples = {"premise plan gemma3:270m-base --context 8192 --concurrency 4\n"
                 "premise plan --params 7b --on rtx3060\npremise plan --table",
                 "premise plan gemma3:270m-base --context 8192 --concurrency 4\n"
                 "premise plan --params 7b --on rtx3060\npremise plan --table"},
    .declare = declare_plan};

}  // namespace premise
