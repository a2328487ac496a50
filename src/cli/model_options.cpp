#include "cli/model_options.h"

#include <CLI/CLI.hpp>
#include <chrono>

#include "base/language.h"
#include "cli/read_input.h"
#include "model/formats/model_file.h"
#include "store/resolve.h"

namespace premise {

void add_model_options(CLI::App& app, ModelOptions& options, Language language) {
  const auto say = [language](Phrase<> phrase) { return text(phrase).in(language); };
  app.add_option("MODEL", options.model,
                 say({"name in the store, or path to a file", "模型库中的名称，或文件路径"}))
      ->required();
  app.add_option("-t,--threads", options.threads,
                 say({"threads to compute with (default: one for each physical core)",
                      "计算线程数（默认：每个物理核心一个）"}))
      ->check(CLI::Range(1, 1024));
}

void add_context_option(CLI::App& app, ModelOptions& options, Language language) {
  app.add_option("--context", options.context,
                 text({"tokens that prompt and answer may have together",
                       "提示与回答合计的最大词元数"})
                     .in(language))
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 30));
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

Result<LoadedModel> load_model(const ModelOptions& options, const EngineOptions& engine_options) {
  const auto begin = std::chrono::steady_clock::now();
  LoadedModel loaded;
  PREMISE_TRY(loaded.source, open_model(options.model));
  HostOptions host;
  host.threads = options.threads;
  host.isa = process_environment("PREMISE_ISA");
  PREMISE_TRY(loaded.host, Host::create(host));
  PREMISE_TRY(loaded.engine, Engine::create(*loaded.source, *loaded.host, engine_options));
  PREMISE_CHECK(loaded.source->check_unchanged());
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  loaded.load_seconds = taken.count();
  return loaded;
}

}  // namespace premise
