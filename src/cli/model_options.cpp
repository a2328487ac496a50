#include "cli/model_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>

#include "base/language.h"
#include "base/printable.h"
#include "cli/read_input.h"
#include "model/formats/model_file.h"
#include "model/plan/architecture.h"
#include "numerics/device/cpu.h"
#include "store/resolve.h"
#include "store/store.h"

namespace premise {
namespace {

// A model of the store is known by its name; where its blob lies says nothing to people.
Error as_typed(Error error, std::string_view path, const std::string& typed) {
  for (std::string* message : {&error.what.en, &error.what.zh})
    if (message->starts_with(path)) message->replace(0, path.size(), printable(typed));
  return error;
}

std::string kv_type_names(std::string_view between) {
  std::string names;
  for (const DType type : all_kv_types)
    names += fmt::format("{}{}", names.empty() ? "" : between, traits(type).name);
  return names;
}

bool is_kv_type(const std::string& name) {
  return std::ranges::any_of(all_kv_types, [&](DType type) { return traits(type).name == name; });
}

Result<std::unique_ptr<Host>> open_host(int threads) {
  HostOptions host;
  host.threads = threads;
  host.isa = process_environment("PREMISE_ISA");
  if (host.isa && host.isa->empty()) host.isa.reset();
  return Host::create(host);
}

EngineOptions with_options(const ModelOptions& options, EngineOptions engine) {
  if (!options.kv_type.empty()) engine.kv_type = dtype_from_name(options.kv_type);
  if (options.activations == "mixed") engine.activations = ActivationBits::mixed;
  if (options.speculative == "ngram") engine.guesses_per_step = usual_guesses_per_step;
  return engine;
}

/// Where packed weights are kept, unless the user wants none or no folder can be told.
std::optional<PackedCacheOptions> packed_cache(const ModelOptions& options, const ModelFile& file,
                                               Console& console) {
  if (!options.repack_cache) return std::nullopt;
  const auto root = Store::default_root(process_environment);
  if (!root) {
    console.say(
        at(text({"packed weights are not cached", "重排权重未写入缓存"}), root.error()).what);
    return std::nullopt;
  }
  return PackedCacheOptions{.folder = Store::packed_folder(*root),
                            .model = options.model,
                            .sha256 = file.sha256,
                            .notice = [&console](const Text& line) { console.say(line); },
                            .stopped =
                                [&console, wait = options.wait_for_cache] {
                                  return !wait || console.interrupt().requested();
                                }};
}

}  // namespace

void add_model_options(CLI::App& app, ModelOptions& options, Language language) {
  const auto say = [language](Phrase<> phrase) { return text(phrase).in(language); };
  app.add_option("MODEL", options.model,
                 say({"name in the store, or path to a file", "模型库中的名称，或文件路径"}))
      ->required();
  app.add_option("-t,--threads", options.threads,
                 say({"threads to compute with (default: one for each physical core)",
                      "计算线程数（默认：每个物理核心一个）"}))
      ->check(CLI::Range(1, 1024));
  app.add_option("--kv-type", options.kv_type,
                 say({"numbers that the KV cache keeps; f32 is exact and twice as large as f16,\n"
                      "q8_0 takes 53 % of it and rounds to 8 bits\n"
                      "(default: f16; f32 where the scalar reference computes)",
                      "KV 缓存的数值类型；f32 精确，占用为 f16 的两倍；\n"
                      "q8_0 舍入到 8 位，占用为 f16 的 53 %\n"
                      "（默认：f16；由标量参考实现计算时为 f32）"}))
      ->type_name(kv_type_names("|"))
      ->check([](const std::string& name) {
        return is_kv_type(name) ? "" : "not a type of KV caches";
      });
  app.add_option(
         "--activations", options.activations,
         say({"bits that inputs of quantized weights are rounded to: 16, or mixed, which is\n"
              "faster where many tokens are computed at once (8 where 16 hardly matter)",
              "量化权重的输入所舍入到的位数：16；或 mixed：影响很小之处用 8 位，\n"
              "同时计算许多词元时更快"}))
      ->type_name("16|mixed")
      ->capture_default_str()
      ->check(CLI::IsMember({"16", "mixed"}));
  app.add_flag("!--no-repack-cache", options.repack_cache,
               say({"pack the weights in memory at each start; keep no copy on the disk",
                    "每次启动都在内存中重排权重，不在磁盘上保留副本"}));
}

void add_context_option(CLI::App& app, ModelOptions& options, Language language) {
  app.add_option(
         "--context", options.context,
         text({"tokens that prompt and answer may have together", "提示与回答合计的最大词元数"})
             .in(language))
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 30));
}

void add_speculative_option(CLI::App& app, ModelOptions& options, Language language) {
  app.add_option("--speculative", options.speculative,
                 text({"ngram: guess from what the text said before; changes the speed alone",
                       "ngram：根据已有文本猜测后续；只影响速度，不影响结果"})
                     .in(language))
      ->capture_default_str()
      ->check(CLI::IsMember({"off", "ngram"}));
}

Result<std::unique_ptr<TensorSource>> open_model(const std::string& model) {
  PREMISE_TRY(const ModelFile file, resolve_model(model, process_environment));
  return open_model_file(file.path);
}

Result<Tokenizer> open_tokenizer(const std::string& model) {
  PREMISE_TRY(const ModelFile file, resolve_model(model, process_environment));
  if (file.path.extension() == ".json") {
    PREMISE_TRY(const std::string json, read_file(file.path));
    auto tokenizer = Tokenizer::from_json(json);
    if (!tokenizer) return at({model, model}, std::move(tokenizer).error());
    return tokenizer;
  }
  PREMISE_TRY(const auto source, open_model_file(file.path));
  return Tokenizer::from_gguf(source->metadata());
}

Result<std::size_t> context_length(const TensorSource& source) {
  PREMISE_TRY(const Plan plan, plan_model({source, 0}));
  return static_cast<std::size_t>(plan.context_length);
}

Result<LoadedModel> load_model(const ModelOptions& options, EngineOptions engine_options,
                               Console& console) {
  const auto begin = std::chrono::steady_clock::now();
  LoadedModel loaded;
  PREMISE_TRY(const ModelFile file, resolve_model(options.model, process_environment));
  PREMISE_TRY(loaded.source, open_model_file(file.path));
  PREMISE_TRY(loaded.host, open_host(options.threads));
  if (const auto& notice = loaded.host->isa_notice()) console.say(*notice);
  if (const int usable = read_cpus().usable_cpus(); options.threads > usable)
    console.say(text({"warning: {} threads share {} processors, which is slower than {} threads",
                      "警告：{} 个线程共用 {} 个处理器，比使用 {} 个线程更慢"},
                     options.threads, usable, usable));
  engine_options = with_options(options, std::move(engine_options));
  engine_options.packed_cache = packed_cache(options, file, console);
  auto engine = Engine::create(*loaded.source, *loaded.host, engine_options);
  if (!engine) return as_typed(std::move(engine).error(), loaded.source->path(), options.model);
  loaded.engine = std::move(engine).value();
  PREMISE_CHECK(loaded.source->check_unchanged());
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  loaded.load_seconds = taken.count();
  return loaded;
}

Status check_model(const TensorSource& source, const ModelOptions& options,
                   EngineOptions engine_options) {
  PREMISE_TRY(const auto host, open_host(1));
  Status status = Engine::check(source, host->isa(), with_options(options, engine_options));
  if (status.ok()) return {};
  return as_typed(std::move(status).error(), source.path(), options.model);
}

Status stop_if_interrupted(Console& console) {
  if (!console.interrupt().requested()) return {};
  return error(ErrorCode::cancelled, {"interrupted", "已中断"});
}

}  // namespace premise
