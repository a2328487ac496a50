// What the commands that compute have in common: MODEL, --threads, --kv-type, --context, and the
// way from there to an engine.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/result.h"
#include "cli/console.h"
#include "engine/engine.h"
#include "engine/host.h"
#include "model/formats/tensor_source.h"
#include "model/tokenizer/tokenizer.h"

namespace CLI {
class App;
}

namespace premise {

struct ModelOptions {
  std::string model;
  int threads = 0;          // 0: one for each physical core
  std::size_t context = 0;  // 0: the command's own default
  std::string kv_type;      // as typed, one of all_kv_types; empty: the engine's own default
  std::string speculative = "off";  // or "ngram"
  std::string activations = "16";   // or "mixed"
  bool repack_cache = true;         // keep packed weights on disk, and read them from there
  bool wait_for_cache = true;       // when the model goes and they are not written yet
};

/// Declares MODEL, --threads, --kv-type, --activations and --no-repack-cache.
void add_model_options(CLI::App& app, ModelOptions& options, Language language);

/// Declares --context.
void add_context_option(CLI::App& app, ModelOptions& options, Language language);

/// Declares --speculative.
void add_speculative_option(CLI::App& app, ModelOptions& options, Language language);

/// Opens MODEL: a name in the store or a path.
Result<std::unique_ptr<TensorSource>> open_model(const std::string& model);

/// The tokenizer of MODEL, which may also be a tokenizer.json.
Result<Tokenizer> open_tokenizer(const std::string& model);

/// A model ready to compute. Members are destroyed from the last to the first: the engine goes
/// before what it borrows.
struct LoadedModel {
  std::unique_ptr<TensorSource> source;
  std::unique_ptr<Host> host;
  std::unique_ptr<Engine> engine;
  double load_seconds = 0.0;
};

/// Tokens that the model was made for.
Result<std::size_t> context_length(const TensorSource& source);

/// Opens, plans and loads; says so where the threads asked for exceed the processors. PREMISE_ISA,
/// where set and not empty, forces an instruction set. `options.kv_type` goes into the engine's
/// options. Errors name MODEL as it was typed.
Result<LoadedModel> load_model(const ModelOptions& options, EngineOptions engine_options,
                               Console& console);

/// What load_model() would find wrong before it looks at memory and loads.
Status check_model(const TensorSource& source, const ModelOptions& options,
                   EngineOptions engine_options);

/// What a visitor of scores or a bench returns once Ctrl-C was pressed.
Status stop_if_interrupted(Console& console);

}  // namespace premise
