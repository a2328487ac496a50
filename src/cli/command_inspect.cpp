// premise inspect: what a model file holds, without reading a weight; with --plan, how it will be
// computed here, for which it is loaded.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/printable.h"
#include "base/units.h"
#include "cli/command.h"
#include "cli/model_options.h"
#include "cli/plan_report.h"
#include "cli/table.h"
#include "model/formats/format_report.h"
#include "model/formats/in_quotes.h"

namespace premise {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t shown_string_bytes = 60;
constexpr std::size_t inspect_context = 4096;

struct InspectOptions {
  ModelOptions model;
  bool plan = false;
  bool json = false;
};

Json as_json(const MetadataScalar& value) {
  return std::visit([](const auto& v) { return Json(v); }, value);
}

/// A scalar as it is; an array as its element type, its length and its first elements.
Json as_json(const MetadataSummary& entry) {
  if (!entry.is_array) return as_json(entry.values.front());
  Json first = Json::array();
  for (const MetadataScalar& value : entry.values) first.push_back(as_json(value));
  return {{"type", entry.type}, {"count", entry.count}, {"first", std::move(first)}};
}

Json as_json(const TensorInfo& tensor) {
  Json shape = Json::array();
  for (unsigned i = 0; i < tensor.shape.rank; ++i) shape.push_back(tensor.shape.dims[i]);
  return {{"name", tensor.name},
          {"type", traits(tensor.dtype).name},
          {"shape", std::move(shape)},
          {"bytes", tensor.bytes}};
}

std::string document(const FormatReport& report) {
  Json files = Json::array();
  for (const SourceFile& file : report.origin.files)
    files.push_back({{"path", file.path}, {"bytes", file.bytes}});
  Json types = Json::array();
  for (const TypeTotal& type : report.types)
    types.push_back({{"type", traits(type.dtype).name},
                     {"tensors", type.tensors},
                     {"elements", type.elements},
                     {"bytes", type.bytes}});
  Json metadata = Json::object();
  for (const MetadataSummary& entry : report.metadata) metadata[entry.key] = as_json(entry);
  Json tensors = Json::array();
  for (const TensorInfo& tensor : report.tensors) tensors.push_back(as_json(tensor));
  const Json all = {{"format", report.origin.format},  {"version", report.origin.version},
                    {"file_bytes", report.file_bytes}, {"files", std::move(files)},
                    {"parameters", report.parameters}, {"tensor_bytes", report.tensor_bytes},
                    {"types", std::move(types)},       {"metadata", std::move(metadata)},
                    {"tensors", std::move(tensors)}};
  return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string as_text(const MetadataScalar& value) {
  if (const auto* text = std::get_if<std::string>(&value))
    return in_quotes(*text, shown_string_bytes);
  return as_json(value).dump();
}

std::string as_text(const MetadataSummary& entry, Language language) {
  if (!entry.is_array) return as_text(entry.values.front());
  std::string out = text({"{} elements", "{} 个元素"}, entry.count).in(language);
  for (std::size_t i = 0; i < entry.values.size(); ++i)
    out += (i == 0 ? ": " : ", ") + as_text(entry.values[i]);
  return out + (entry.values.size() < entry.count ? ", …" : "");
}

std::string as_text(const Shape& shape) {
  std::string out = "[";
  for (unsigned i = 0; i < shape.rank; ++i)
    out += fmt::format("{}{}", i ? ", " : "", shape.dims[i]);
  return out + "]";
}

std::string summary(const FormatReport& report, Language language) {
  std::string out = text({"{} version {}, {}, {} tensors, {} parameters\n",
                          "{} 版本 {}，{}，{} 个张量，{} 个参数\n"},
                         report.origin.format, report.origin.version,
                         format_bytes(report.file_bytes), report.tensors.size(), report.parameters)
                        .in(language);
  for (const SourceFile& file : report.origin.files)
    out += "  " + printable(file.path) + "  " + format_bytes(file.bytes) + "\n";
  return out;
}

std::string page(const FormatReport& report, Language language) {
  const auto say = [language](Phrase<> phrase) { return text(phrase).in(language); };
  std::vector<std::vector<std::string>> types{{say({"TYPE", "类型"}), say({"TENSORS", "张量数"}),
                                               say({"ELEMENTS", "元素数"}), say({"SIZE", "大小"})}};
  for (const TypeTotal& type : report.types)
    types.push_back({std::string(traits(type.dtype).name), fmt::format("{}", type.tensors),
                     fmt::format("{}", type.elements), format_bytes(type.bytes)});
  std::vector<std::vector<std::string>> metadata{
      {say({"KEY", "键"}), say({"TYPE", "类型"}), say({"VALUE", "值"})}};
  for (const MetadataSummary& entry : report.metadata)
    metadata.push_back({printable(entry.key), entry.is_array ? "[" + entry.type + "]" : entry.type,
                        as_text(entry, language)});
  std::vector<std::vector<std::string>> tensors{{say({"TENSOR", "张量"}), say({"TYPE", "类型"}),
                                                 say({"SHAPE", "形状"}), say({"SIZE", "大小"})}};
  for (const TensorInfo& tensor : report.tensors)
    tensors.push_back({printable(tensor.name), std::string(traits(tensor.dtype).name),
                       as_text(tensor.shape), format_bytes(tensor.bytes)});
  return summary(report, language) + "\n" + aligned_table(types, "lrrr") + "\n" +
         aligned_table(metadata, "lll") + "\n" + aligned_table(tensors, "lllr");
}

Result<int> show_plan(Console& console, const InspectOptions& options) {
  EngineOptions engine_options;
  engine_options.context = options.model.context;
  if (engine_options.context == 0) {
    PREMISE_TRY(const auto source, open_model(options.model.model));
    PREMISE_TRY(const std::size_t most, context_length(*source));
    engine_options.context = std::min(inspect_context, most);
  }
  PREMISE_TRY(const LoadedModel loaded, load_model(options.model, engine_options, console));
  const Executable& executable = loaded.engine->executable();
  const PlanReport found{.plan = executable.plan(),
                         .ops = executable.report(),
                         .isa = std::string(name_of(loaded.host->isa())),
                         .threads = loaded.host->team().size(),
                         .context = loaded.engine->context(),
                         .kv_type = loaded.engine->kv_type(),
                         .weight_bytes = executable.weight_bytes(),
                         .cache_bytes = executable.cache_bytes(),
                         .workspace_bytes = executable.workspace_bytes()};
  console.write(options.json ? plan_document(found) : plan_page(found, console.language()));
  return 0;
}

Result<int> run_inspect(Console& console, const InspectOptions& options) {
  if (options.plan) return show_plan(console, options);
  PREMISE_TRY(const auto source, open_model(options.model.model));
  const FormatReport found = report(*source);
  console.write(options.json ? document(found) : page(found, console.language()));
  return 0;
}

CommandRun declare_inspect(CLI::App& app, Language language) {
  const auto options = std::make_shared<InspectOptions>();
  const auto say = [language](Phrase<> phrase) { return text(phrase).in(language); };
  add_model_options(app, options->model, language);
  auto* plan = app.add_flag("--plan", options->plan,
                            say({"load it, and show how each operation is computed here",
                                 "加载模型，并显示每个运算在本机如何计算"}));
  add_context_option(app, options->model, language);
  app.get_option("--context")->needs(plan);
  app.get_option("--threads")->needs(plan);
  app.get_option("--kv-type")->needs(plan);
  app.add_flag("--json", options->json, say({"print a JSON document", "输出 JSON"}));
  return [options](Console& console) { return run_inspect(console, *options); };
}

}  // namespace

extern const Command inspect_command;
const Command inspect_command{
    .name = "inspect",
    .order = 50,
    .summary = {"show what a model file holds", "显示模型文件的内容"},
    .examples = {"premise inspect model.gguf\npremise inspect gemma3:270m-base --plan",
                 "premise inspect model.gguf\npremise inspect gemma3:270m-base --plan"},
    .declare = declare_inspect};

}  // namespace premise
