// premise serve: models behind HTTP, for many at once.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "cli/command.h"
#include "cli/local_user.h"
#include "cli/serve_service.h"

namespace premise {
namespace {

struct ServeOptions {
  std::vector<std::string> models;
  std::string config, host;
  std::int64_t port = -1, context = 0, parallel = 0, threads = -1;
  bool check = false;
};

/// SIGINT, SIGTERM and SIGHUP wait for sigwaitinfo() in this thread, whatever other threads there
/// are: threads made from here on inherit the mask.
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

  /// The next one, and who sent it where a process did.
  siginfo_t wait() const {
    siginfo_t signal{};
    while (sigwaitinfo(&set_, &signal) < 0) {
    }
    return signal;
  }

 private:
  sigset_t set_{}, before_{};
};

/// Arguments, unlike a file, are not checked before.
Status check_names(const std::vector<ModelConfig>& models) {
  for (auto model = models.begin(); model != models.end(); ++model)
    if (std::find_if(models.begin(), model, [&](const ModelConfig& other) {
          return served_name(other) == served_name(*model);
        }) != model)
      return error(ErrorCode::usage,
                   {"two models would be served as \"{}\": name them in --config",
                    "两个模型都将以“{}”提供服务：请在 --config 中分别命名"},
                   served_name(*model));
  return {};
}

Result<Config> settings_of(const ServeOptions& options, Language language) {
  Config config;
  if (language == Language::chinese) config.server.language = "zh";  // where no file says
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
  PREMISE_CHECK(check_names(config.models));
  for (ModelConfig& model : config.models) {
    if (options.context > 0) model.context = options.context;
    if (options.parallel > 0) model.parallel = options.parallel;
  }
  if (config.models.empty())
    return error(ErrorCode::usage, {"no model is named", "没有指定模型"})
        .with_hint(text({"premise serve gemma3:270m-base, or [[model]] in --config",
                         "premise serve gemma3:270m-base，或在 --config 中写 [[model]]"}));
  return config;
}

void say_where(Console& console, const Config& config, std::uint16_t port) {
  const ServerConfig& server = config.server;
  const bool v6 = server.host.find(':') != std::string::npos;
  const std::string url = fmt::format("{}://{}{}{}:{}", server.tls_cert.empty() ? "http" : "https",
                                      v6 ? "[" : "", server.host, v6 ? "]" : "", port);
  std::string names;
  for (const ModelConfig& model : config.models)
    names += (names.empty() ? "" : ", ") + served_name(model);
  console.say(text({"{} is served on {}  (Ctrl-C stops)", "{} 已在 {} 提供服务（Ctrl-C 停止）"},
                   names, url));
  console.say(text({"talk to it: open {} in a browser", "对话：在浏览器中打开 {}"}, url));
  console.say(text({"try: curl {}/chat -H 'Content-Type: application/json' -d "
                    "'{{\"input_text\":\"Hello\"}}'",
                    "试试：curl {}/chat -H 'Content-Type: application/json' -d "
                    "'{{\"input_text\":\"你好\"}}'"},
                   url));
}

/// Until a signal asks for the end.
void serve_until_stopped(ServeService& service, const StopSignals& signals, Console& console) {
  for (siginfo_t signal = signals.wait(); signal.si_signo == SIGHUP; signal = signals.wait()) {
    const bool sent = signal.si_code == SI_USER || signal.si_code == SI_QUEUE;
    service.reload(sent ? user_called(signal.si_uid) : "the system");
  }
  const double seconds = service.config().server.drain_seconds;
  console.say(text({"stopping: running requests may end within {} s",
                    "正在停止：正在处理的请求可在 {} 秒内完成"},
                   seconds));
  const std::chrono::milliseconds limit(static_cast<std::int64_t>(seconds * 1000.0));
  if (const std::optional<int> status = service.stop(limit)) {
    // What does not end cannot be destroyed. The books are on the disk; the rest is the system's.
    // Only what was said is flushed: a model's file may be locked by the very read that never ends.
    std::fflush(stdout);
    std::fflush(stderr);
    std::_Exit(*status);
  }
}

Result<int> run_serve(Console& console, const ServeOptions& options) {
  PREMISE_TRY(const Config config, settings_of(options, console.language()));
  if (options.check) {
    ServiceMetrics unused;
    const ModelLoader loader(config.engine, unused, console);
    for (const ModelConfig& model : config.models) PREMISE_CHECK(loader.check(spec_of(model)));
    console.say(text({"the configuration is in order", "配置正确"}));
    return 0;
  }
  const StopSignals signals;
  PREMISE_TRY(const auto service, ServeService::start(
                                      config,
                                      [options, language = console.language()] {
                                        return settings_of(options, language);
                                      },
                                      console));
  say_where(console, config, service->server().port());
  serve_until_stopped(*service, signals, console);
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
