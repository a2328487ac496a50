// A reload is read and checked as a whole before anything of it is used: log, keys and certificate
// are opened first, then one pointer is exchanged. Models that were added, removed or changed in
// the file are loaded, unloaded and swapped by the table, which takes its time; what goes wrong
// there leaves the other models alone and is told when it happens.
#include "cli/serve_service.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "base/language.h"
#include "serve/api/origin.h"
#include "serve/gate/gate_database.h"
#include "serve/models/self_check.h"
#include "store/store.h"

namespace premise {
namespace {

constexpr std::chrono::minutes self_check_limit{2};
constexpr std::chrono::milliseconds least_time_to_stop{5'000};  // a step of a large model

Result<std::shared_ptr<KeyRing>> open_keys() {
  PREMISE_TRY(const auto root, Store::default_root(process_environment));
  PREMISE_TRY(auto keys, KeyRing::open(root / GateDatabase::file_name, [] {
                return static_cast<std::int64_t>(std::time(nullptr));
              }));
  return std::shared_ptr<KeyRing>(std::move(keys));
}

Result<std::shared_ptr<AccessLog>> open_log(const LogConfig& log) {
  PREMISE_TRY(AccessLog opened,
              AccessLog::open(
                  {.path = log.path,
                   .format = log.format == "text" ? AccessLogFormat::text : AccessLogFormat::json,
                   .level = parse_log_level(log.level).value_or(LogLevel::info),
                   .file_bytes = log.rotate_bytes.value_or(std::uint64_t{1} << 40),
                   .files = static_cast<std::size_t>(log.keep)}));
  return std::make_shared<AccessLog>(std::move(opened));
}

/// Certificate and key may be others after a reload; whether there is TLS at all may not.
bool turns_tls(const Config& before, const Config& after) {
  return before.server.tls_cert.empty() != after.server.tls_cert.empty();
}

const ModelConfig* named(const std::vector<ModelConfig>& models, const std::string& name) {
  const auto found = std::ranges::find(models, name, served_name);
  return found == models.end() ? nullptr : &*found;
}

}  // namespace

ServeService::ServeService(Config config, ReadConfig read, Console& console)
    : config_(std::move(config)),
      read_(std::move(read)),
      console_(console),
      loader_(config_.engine, metrics_, console) {}

Result<std::unique_ptr<ServeService>> ServeService::start(Config config, ReadConfig read,
                                                          Console& console) {
  std::unique_ptr<ServeService> service(
      new ServeService(std::move(config), std::move(read), console));
  PREMISE_CHECK(service->open());
  return service;
}

Status ServeService::open() {
  PREMISE_TRY(ServiceSettings settings, settings_for(config_));
  keys_ = settings.keys;
  PREMISE_TRY(governance_, ServeGovernance::open(config_, keys_,
                                                 [this](const Text& what) { console_.say(what); }));
  ModelTable::Options options;
  options.factory = [this](const ModelSpec& spec) { return loader_.load(spec); };
  options.check = [](ModelEndpoint& endpoint) { return self_check(endpoint, self_check_limit); };
  options.tell = [this](const ModelNews& news) { tell(news); };
  models_ = std::make_unique<ModelTable>(std::move(options));
  for (const ModelConfig& model : config_.models) {
    PREMISE_TRY(LoadedVersion version, loader_.load(spec_of(model)));
    models_->set_limits(served_name(model), limits_of(model));
    models_->add(spec_of(model), std::move(version));
  }
  PREMISE_TRY(server_, Server::start({std::move(settings), models_.get(), &metrics_,
                                      &governance_->limits(), governance_->governance(),
                                      [this] { return governance_->metrics(); }}));
  return {};
}

Result<ServiceSettings> ServeService::settings_for(const Config& config) {
  ServiceSettings settings{
      config, config.server.language == "zh" ? Language::chinese : Language::english, keys_, {}};
  PREMISE_TRY(settings.log, open_log(config.log));
  if (!config.auth.required && is_loopback_name(config.server.host)) {
    settings.keys = nullptr;
  } else if (!settings.keys) {
    PREMISE_TRY(settings.keys, open_keys());
  }
  return settings;
}

std::optional<int> ServeService::stop(std::chrono::milliseconds limit) {
  server_->drain(limit);
  const auto until = std::chrono::steady_clock::now() + std::max(limit, least_time_to_stop);
  const auto left = [&] {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
        std::max(until - std::chrono::steady_clock::now(), std::chrono::steady_clock::duration(0)));
  };
  const bool answered = server_->wait_for_answers(left());
  if (models_->close(left()) && answered) return std::nullopt;
  bool loads = false, hangs = false;
  for (const ModelStatus& model : models_->list()) {
    if (model.state == ModelState::loading || model.next) {
      loads = true;
      console_.say(
          text({"{} is still being loaded: ending without it", "{} 仍在加载：不再等待，直接结束"},
               model.spec.name));
    }
    if (model.requests > 0) {
      hangs = true;
      console_.say(text({"{} does not end {} requests: ending without it",
                         "{} 有 {} 个请求未能结束：不再等待，直接结束"},
                        model.spec.name, model.requests));
    }
  }
  if (!loads && !hangs)
    console_.say(text(
        {"an engine does not end: ending without it", "有推理引擎未能结束：不再等待，直接结束"}));
  governance_->save();
  return loads && !hangs ? 0 : static_cast<int>(ErrorCode::internal);
}

void ServeService::reload(const std::string& by) {
  const bool audited = config_.audit.enabled;  // who turns the log off is its last line
  auto read = read_();
  Result<std::string> done =
      read.ok() ? apply(*read, by) : Result<std::string>(std::move(read).error());
  if (!done.ok()) {
    console_.say(text({"SIGHUP: nothing was changed", "SIGHUP：未做任何更改"}));
    console_.report(done.error());
  }
  governance_->note({.action = "reload",
                     .by = by,
                     .failed = !done.ok(),
                     .reason = done.ok() ? "changed: " + *done : done.error().what.en,
                     .always = audited});
}

Result<std::string> ServeService::apply(const Config& read, const std::string& by) {
  Config next = apply_live(config_, read);
  const bool tls_waits = turns_tls(config_, read);
  if (tls_waits) {
    next.server.tls_cert = config_.server.tls_cert;
    next.server.tls_key = config_.server.tls_key;
  }
  PREMISE_TRY(ServiceSettings settings, settings_for(next));
  const auto keys = settings.keys;
  PREMISE_CHECK(governance_->apply(next));
  if (Status applied = server_->apply(std::move(settings)); !applied.ok()) {
    // What was taken over goes back; if a list of words has become unreadable in between, the one
    // that was read stays.
    static_cast<void>(governance_->apply(config_));
    return std::move(applied).error();
  }
  keys_ = keys;
  std::string changed, waiting;
  for (const ConfigChange& change : compare(config_, read)) {
    const bool tls = change.key == "server.tls_cert" || change.key == "server.tls_key";
    const bool live = (change.live && !(tls && tls_waits)) || change.key.starts_with("model.");
    std::string& list = live ? changed : waiting;
    list += (list.empty() ? "" : ", ") + change.key;
  }
  if (changed.empty()) changed = "-";
  console_.say(text(
      {"SIGHUP: the configuration was reloaded; changed: {}", "SIGHUP：已重新加载配置；已更改：{}"},
      changed));
  if (!waiting.empty())
    console_.say(text({"SIGHUP: these take effect at the next start: {}",
                       "SIGHUP：以下设置将在下次启动时生效：{}"},
                      waiting));
  change_models(config_.models, read.models, by);
  next.models = read.models;
  config_ = std::move(next);
  return changed;
}

void ServeService::change_models(const std::vector<ModelConfig>& before,
                                 const std::vector<ModelConfig>& after, const std::string& by) {
  const auto say = [&](const std::optional<ModelRefusal>& refusal) {
    if (refusal) console_.say(at({"SIGHUP", "SIGHUP"}, Error{ErrorCode::no, refusal->what}).what);
  };
  const auto noted = [&](const char* action, const ModelConfig& model) -> ModelTable::Done {
    return [this, by, action, name = served_name(model), path = model.path](const Status& status) {
      governance_->note({.action = action,
                         .by = by,
                         .model = name,
                         .failed = !status.ok(),
                         .reason = status.ok() ? path : status.error().what.en});
    };
  };
  for (const ModelConfig& model : before)
    if (named(after, served_name(model)) == nullptr)
      say(models_->unload(served_name(model), std::nullopt, noted("model unload", model)));
  for (const ModelConfig& model : after) {
    models_->set_limits(served_name(model), limits_of(model));
    const ModelConfig* was = named(before, served_name(model));
    if (was == nullptr)
      say(models_->load(spec_of(model), noted("model load", model)));
    else if (spec_of(*was) != spec_of(model))
      say(models_->swap(spec_of(model), noted("model swap", model)));
  }
}

void ServeService::tell(const ModelNews& news) {
  if (news.swap) metrics_.model_swaps.add({news.name, std::string(name_of(*news.swap))});
  if (news.swap == SwapResult::returned || news.swap == SwapResult::kept)
    governance_->note({.action = "model " + std::string(name_of(*news.swap)),
                       .by = "",
                       .model = news.name,
                       .failed = false,
                       .reason = news.what.en});
  console_.say(news.bad ? at(text({"warning", "警告"}), Error{ErrorCode::no, news.what}).what
                        : news.what);
}

}  // namespace premise
