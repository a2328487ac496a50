// premise serve: a model behind HTTP, for many at once.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <ctime>
#include <memory>
#include <thread>

#include "base/language.h"
#include "cli/command.h"
#include "cli/model_options.h"
#include "engine/chat_format.h"
#include "serve/api/origin.h"
#include "serve/gate/gate_database.h"
#include "serve/metrics_observer.h"
#include "serve/server.h"
#include "serve/unsupported.h"
#include "store/store.h"

namespace premise {
namespace {

constexpr std::size_t serve_context =
    8192;  // where nobody says: long models would need much memory

struct ServeOptions {
  std::vector<std::string> models;
  std::string config, host;
  std::int64_t port = -1, context = 0, parallel = 0, threads = -1;
  bool check = false;
};

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

/// SIGINT, SIGTERM and SIGHUP wait for sigwait() in this thread, whatever other threads there are:
/// threads made from here on inherit the mask.
class StopSignals {
 public:
  StopSignals() {
    sigemptyset(&set_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  ~StopSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  int wait() const {
    int signal = 0;
    while (sigwait(&set_, &signal) != 0) {
    }
    return signal;
  }

 private:
  sigset_t set_{}, before_{};
};

Result<Config> settings_of(const ServeOptions& options) {
  Config config;
  if (!options.config.empty()) {
    PREMISE_TRY(config, load_config(options.config));
  }
  if (!options.host.empty()) config.server.host = options.host;
  if (options.port >= 0) config.server.port = options.port;
  if (options.threads >= 0) config.engine.threads = options.threads;
  if (!options.models.empty()) config.models.clear();
  for (const std::string& model : options.models) {
    ModelConfig each;
    each.path = model;
    config.models.push_back(std::move(each));
  }
  for (ModelConfig& model : config.models) {
    if (options.context > 0) model.context = options.context;
    if (options.parallel > 0) model.parallel = options.parallel;
  }
  if (config.models.empty())
    return error(ErrorCode::usage, {"no model is named", "没有指定模型"})
        .with_hint(text({"premise serve gemma3:270m-base, or [[model]] in --config",
                         "premise serve gemma3:270m-base，或在 --config 中写 [[model]]"}));
  PREMISE_CHECK(check_supported(config));
  return config;
}

struct ServedModel {
  LoadedModel loaded;
  std::shared_ptr<const Tokenizer> tokenizer;
  std::unique_ptr<MetricsObserver> observer;
  std::shared_ptr<LocalEndpoint> endpoint;  // the last member: it uses the others
};

Result<ServedModel> load_served(const Config& config, ServiceMetrics& metrics, Console& console) {
  const ModelConfig& model = config.models.front();
  ServedModel served;
  PREMISE_TRY(const auto source, open_model(model.path));
  PREMISE_TRY(const std::size_t most, context_length(*source));
  EngineOptions engine;
  engine.context =
      model.context > 0 ? static_cast<std::size_t>(model.context) : std::min(most, serve_context);
  engine.sequences = static_cast<std::size_t>(model.parallel);
  engine.tokens_per_step = static_cast<std::size_t>(config.engine.tokens_per_step);
  ModelOptions options;
  options.model = model.path;
  options.threads = static_cast<int>(config.engine.threads);
  options.kv_type = model.kv_type;
  options.speculative = config.engine.speculative;
  PREMISE_TRY(served.loaded, load_model(options, engine, console));
  PREMISE_TRY(Tokenizer tokenizer, Tokenizer::from_gguf(served.loaded.source->metadata()));
  served.tokenizer = std::make_shared<const Tokenizer>(std::move(tokenizer));
  PREMISE_TRY(ChatFormat format,
              ChatFormat::from_metadata(served.loaded.source->metadata(), *served.tokenizer));
  if (format.is_transcript())
    console.say(text({"{} is a base model: messages become a plain transcript",
                      "{} 是基础模型：对话消息将以普通对话文本的形式给出"},
                     model.path));
  served.observer = std::make_unique<MetricsObserver>(metrics, served_name(model));
  served.endpoint = std::make_shared<LocalEndpoint>(
      step_engine(std::move(served.loaded.engine)), served.tokenizer,
      std::make_shared<const FormatEncoder>(std::move(format)),
      LocalEndpointOptions{.name = served_name(model),
                           .created = static_cast<std::int64_t>(std::time(nullptr)),
                           .queue = static_cast<std::size_t>(model.queue),
                           .observer = served.observer.get()});
  return served;
}

Result<std::unique_ptr<KeyRing>> open_keys(const Config& config) {
  if (!config.auth.required && is_loopback_name(config.server.host))
    return std::unique_ptr<KeyRing>();
  PREMISE_TRY(const auto root, Store::default_root(process_environment));
  return KeyRing::open(root / GateDatabase::file_name,
                       [] { return static_cast<std::int64_t>(std::time(nullptr)); });
}

Result<AccessLog> open_log(const Config& config) {
  const LogConfig& log = config.log;
  return AccessLog::open(
      {.path = log.path,
       .format = log.format == "text" ? AccessLogFormat::text : AccessLogFormat::json,
       .level = parse_log_level(log.level).value_or(LogLevel::info),
       .file_bytes = log.rotate_bytes.value_or(std::uint64_t{1} << 40),
       .files = static_cast<std::size_t>(log.keep)});
}

void say_where(Console& console, const Config& config, std::uint16_t port) {
  const ServerConfig& server = config.server;
  const bool v6 = server.host.find(':') != std::string::npos;
  const std::string url = fmt::format("{}://{}{}{}:{}", server.tls_cert.empty() ? "http" : "https",
                                      v6 ? "[" : "", server.host, v6 ? "]" : "", port);
  console.say(text({"{} is served on {}  (Ctrl-C stops)", "{} 已在 {} 提供服务（Ctrl-C 停止）"},
                   served_name(config.models.front()), url));
  console.say(text({"try: curl {}/chat -H 'Content-Type: application/json' -d "
                    "'{{\"input_text\":\"Hello\"}}'",
                    "试试：curl {}/chat -H 'Content-Type: application/json' -d "
                    "'{{\"input_text\":\"你好\"}}'"},
                   url));
}

/// Until a signal asks for the end.
void serve_until_stopped(Server& server, const Config& config, const StopSignals& signals,
                         Console& console) {
  while (signals.wait() == SIGHUP)
    console.say(text({"SIGHUP: reloading the configuration is not built yet; restart instead",
                      "SIGHUP：尚未实现重新加载配置；请重新启动"}));
  console.say(text({"stopping: running requests may end within {} s",
                    "正在停止：正在处理的请求可在 {} 秒内完成"},
                   config.server.drain_seconds));
  server.drain(
      std::chrono::milliseconds(static_cast<std::int64_t>(config.server.drain_seconds * 1000.0)));
}

Result<int> run_serve(Console& console, const ServeOptions& options) {
  PREMISE_TRY(const Config config, settings_of(options));
  if (options.check) {
    PREMISE_TRY(const auto source, open_model(config.models.front().path));
    console.say(text({"the configuration is in order", "配置正确"}));
    return 0;
  }
  const StopSignals signals;
  ServiceMetrics metrics;
  PREMISE_TRY(AccessLog log, open_log(config));
  PREMISE_TRY(const auto keys, open_keys(config));
  PREMISE_TRY(ServedModel model, load_served(config, metrics, console));
  PREMISE_TRY(
      const auto server,
      Server::start({config, console.language(), {model.endpoint}, keys.get(), &metrics, &log}));
  say_where(console, config, server->port());
  if (keys)
    console.say(text({"note: there is no audit log yet, and daily quotas begin anew at each start",
                      "注意：尚无审计日志，每日配额在每次启动时重新计算"}));
  serve_until_stopped(*server, config, signals, console);
  return 0;
}

CommandRun declare_serve(CLI::App& app, Language language) {
  const auto options = std::make_shared<ServeOptions>();
  const auto say = [language](Phrase<> phrase) { return text(phrase).in(language); };
  app.add_option("MODEL", options->models,
                 say({"name in the store, or path to a file", "模型库中的名称，或文件路径"}));
  app.add_option("--config", options->config,
                 say({"premise.toml (docs/premise.example.toml shows every key)",
                      "premise.toml（全部设置见 docs/premise.example.toml）"}));
  app.add_option("--host", options->host,
                 say({"address to listen on (127.0.0.1); beyond loopback every request needs a key",
                      "监听地址（127.0.0.1）；非本机回环地址时每个请求都需要密钥"}));
  app.add_option("--port", options->port,
                 say({"port (8080); 0: any that is free", "端口（8080）；0 表示任意空闲端口"}))
      ->check(CLI::Range(0, 65535));
  app.add_option("--context", options->context,
                 say({"tokens of one request, prompt and answer together",
                      "单个请求的词元数，提示与回答合计"}))
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 30));
  app.add_option("--parallel", options->parallel,
                 say({"requests computed at the same time (4)", "同时计算的请求数（4）"}))
      ->check(CLI::Range(1, 1024));
  app.add_option("-t,--threads", options->threads,
                 say({"threads that compute (one for each core)", "计算线程数（每个核心一个）"}))
      ->check(CLI::Range(0, 4096));
  app.add_flag("--check", options->check, say({"only check the configuration", "仅检查配置"}));
  return [options](Console& console) { return run_serve(console, *options); };
}

}  // namespace

extern const Command serve_command;
const Command serve_command{.name = "serve",
                            .order = 25,
                            .summary = {"serve a model over HTTP", "通过 HTTP 提供模型服务"},
                            .examples = {"premise serve gemma3:270m-base\n"
                                         "premise serve --config premise.toml --check",
                                         "premise serve gemma3:270m-base\n"
                                         "premise serve --config premise.toml --check"},
                            .declare = declare_serve};

}  // namespace premise
