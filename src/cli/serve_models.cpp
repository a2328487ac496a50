#include "cli/serve_models.h"

#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "base/version.h"
#include "cli/model_options.h"
#include "cli/read_input.h"
#include "engine/chat_format.h"
#include "model/chat/chat_template.h"
#include "serve/metrics_observer.h"

namespace premise {
namespace {

constexpr std::size_t serve_context = 8192;  // where nobody says: long ones need much memory
constexpr std::size_t usual_parallel = 4;

/// The model's own format in the words of an endpoint.
class FormatEncoder final : public PromptEncoder {
 public:
  explicit FormatEncoder(ChatFormat format) : format_(std::move(format)) {}

  Result<Encoded> encode(const Conversation& conversation) const override {
    Encoded encoded;
    PREMISE_TRY(encoded.tokens, format_.prompt(conversation.messages, conversation.tools));
    encoded.stops = format_.stop_strings();
    encoded.stop_tokens.assign(format_.stop_tokens().begin(), format_.stop_tokens().end());
    return encoded;
  }

 private:
  ChatFormat format_;
};

struct ServedModel {
  LoadedModel loaded;
  std::shared_ptr<const Tokenizer> tokenizer;
  std::unique_ptr<MetricsObserver> observer;
  std::unique_ptr<LocalEndpoint> endpoint;  // the last member: it uses the others
};

Result<ChatFormat> format_of(const ModelSpec& spec, const Metadata& metadata,
                             const Tokenizer& tokenizer, Console& console) {
  if (!spec.chat_template.empty()) {
    PREMISE_TRY(const std::string jinja, read_file(spec.chat_template));
    auto format = ChatFormat::from_template(jinja, tokenizer);
    if (!format) return at({spec.chat_template, spec.chat_template}, std::move(format).error());
    return format;
  }
  PREMISE_TRY(ChatFormat format, ChatFormat::from_metadata(metadata, tokenizer));
  if (format.is_transcript())
    console.say(text({"{} is a base model: messages become a plain transcript",
                      "{} 是基础模型：对话消息将以普通对话文本的形式给出"},
                     spec.path));
  return format;
}

/// The store names its files after their digests; others are not hashed for it, which would take
/// as long as loading does.
std::string digest_in(std::string_view path) {
  const std::string name = std::filesystem::path(path).filename().string();
  return name.starts_with("sha256") ? name : "";
}

/// What a file is, as far as can be told without reading it.
std::string state_of_file(const std::string& path) {
  struct stat state{};
  if (path.empty() || ::stat(path.c_str(), &state) != 0) return path;
  return fmt::format("{} {} {} {}.{}", path, state.st_ino, state.st_size, state.st_mtim.tv_sec,
                     state.st_mtim.tv_nsec);
}

std::string activations_of(const EngineConfig& config) {
  if (config.activations != "auto") return config.activations;
  return config.deterministic ? "16" : "mixed";
}

/// Everything beside a request that decides its answer. Threads, batches and guesses do not.
std::string identity_of(const ModelSpec& spec, const EngineConfig& engine,
                        const std::string& digest, std::string_view path) {
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", spec.name,
                     digest.empty() ? state_of_file(std::string(path)) : digest, spec.kv_type,
                     activations_of(engine), state_of_file(spec.chat_template), version());
}

std::size_t or_usual(std::int64_t value, std::size_t usual) {
  return value > 0 ? static_cast<std::size_t>(value) : usual;
}

Result<EngineOptions> engine_options(const ModelSpec& spec, const EngineConfig& config,
                                     const TensorSource& source) {
  PREMISE_TRY(const std::size_t most, context_length(source));
  EngineOptions engine;
  engine.context = or_usual(spec.context, std::min(most, serve_context));
  engine.sequences = or_usual(spec.parallel, usual_parallel);
  engine.tokens_per_step = static_cast<std::size_t>(config.tokens_per_step);
  engine.cache_bytes = spec.kv_memory;
  return engine;
}

ModelOptions model_options(const ModelSpec& spec, const EngineConfig& config) {
  ModelOptions options;
  options.model = spec.path;
  options.threads = static_cast<int>(config.threads);
  options.kv_type = spec.kv_type;
  options.speculative = config.speculative;
  options.activations = activations_of(config);
  options.repack_cache = config.repack_cache;
  options.wait_for_cache = false;  // a server has had the time; its end and its swaps have not
  return options;
}

}  // namespace

ModelSpec spec_of(const ModelConfig& model) {
  return {served_name(model), model.path,    model.context,       model.parallel,
          model.queue,        model.kv_type, model.chat_template, model.kv_memory.value_or(0)};
}

ModelLimits limits_of(const ModelConfig& model) {
  const auto ms = [](double seconds) {
    return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000.0));
  };
  return {ms(model.watch_seconds), static_cast<std::size_t>(model.watch_requests), model.error_rate,
          ms(model.drain_seconds)};
}

Status ModelLoader::check(const ModelSpec& spec) const {
  PREMISE_TRY(const auto source, open_model(spec.path));
  PREMISE_TRY(const EngineOptions engine, engine_options(spec, engine_, *source));
  PREMISE_CHECK(check_model(*source, model_options(spec, engine_), engine));
  if (spec.chat_template.empty()) return {};
  PREMISE_TRY(const std::string jinja, read_file(spec.chat_template));
  auto parsed = ChatTemplate::parse(jinja);
  if (!parsed) return at({spec.chat_template, spec.chat_template}, std::move(parsed).error());
  return {};
}

Result<LoadedVersion> ModelLoader::load(const ModelSpec& spec) const {
  auto served = std::make_shared<ServedModel>();
  {
    PREMISE_TRY(const auto source, open_model(spec.path));
    PREMISE_TRY(const EngineOptions engine, engine_options(spec, engine_, *source));
    PREMISE_TRY(served->loaded, load_model(model_options(spec, engine_), engine, console_));
  }
  const Metadata& metadata = served->loaded.source->metadata();
  PREMISE_TRY(Tokenizer tokenizer, Tokenizer::from_gguf(metadata));
  served->tokenizer = std::make_shared<const Tokenizer>(std::move(tokenizer));
  PREMISE_TRY(ChatFormat format, format_of(spec, metadata, *served->tokenizer, console_));
  served->observer = std::make_unique<MetricsObserver>(metrics_, spec.name);
  served->endpoint = std::make_unique<LocalEndpoint>(
      taking_turns(step_engine(std::move(served->loaded.engine)), turns_), served->tokenizer,
      std::make_shared<const FormatEncoder>(std::move(format)),
      LocalEndpointOptions{.name = spec.name,
                           .created = static_cast<std::int64_t>(std::time(nullptr)),
                           .queue = static_cast<std::size_t>(spec.queue),
                           .observer = served->observer.get()});
  ModelEndpoint* endpoint = served->endpoint.get();
  const std::string digest = digest_in(served->loaded.source->path());
  std::string identity = identity_of(spec, engine_, digest, served->loaded.source->path());
  return LoadedVersion{{std::move(served), endpoint}, digest, std::move(identity)};
}

}  // namespace premise
