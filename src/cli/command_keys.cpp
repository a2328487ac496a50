// premise keys create | list | revoke: who may use the service. A running server sees every change
// within a second, since both work on one file.
#include <CLI/CLI.hpp>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/language.h"
#include "base/printable.h"
#include "cli/command.h"
#include "cli/local_user.h"
#include "cli/table.h"
#include "serve/gate/key_store.h"
#include "store/store.h"

namespace premise {
namespace {

using Json = nlohmann::ordered_json;

struct KeysOptions {
  std::string name, group, expires = "never";
  std::vector<std::string> scopes{"inference"}, models;
  KeyLimits limits;
  bool json = false;
};

Result<KeyStore> open_keys() {
  PREMISE_TRY(const auto root, Store::default_root(process_environment));
  return KeyStore::open(root / GateDatabase::file_name);
}

std::string keys_utc_time(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  if (gmtime_r(&time, &parts) == nullptr) return "?";
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

Json keys_time_or_null(std::int64_t seconds) {
  return seconds == 0 ? Json() : Json(keys_utc_time(seconds));
}

Json keys_limit_or_null(std::int64_t limit) { return limit == 0 ? Json() : Json(limit); }

std::vector<std::string> keys_scope_list(unsigned scopes) {
  return CLI::detail::split(scope_names(scopes), ',');
}

Json key_as_json(const ApiKey& key) {
  return {{"name", key.name},
          {"group", key.group},
          {"scopes", keys_scope_list(key.scopes)},
          {"models", key.models},
          {"requests_per_minute", keys_limit_or_null(key.limits.requests_per_minute)},
          {"tokens_per_minute", keys_limit_or_null(key.limits.tokens_per_minute)},
          {"requests_per_day", keys_limit_or_null(key.limits.requests_per_day)},
          {"tokens_per_day", keys_limit_or_null(key.limits.tokens_per_day)},
          {"created", keys_utc_time(key.created)},
          {"expires", keys_time_or_null(key.expires)},
          {"last_used", keys_time_or_null(key.last_used)},
          {"revoked", keys_time_or_null(key.revoked)}};
}

std::string json_line(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<int> create_key(Console& console, const KeysOptions& options) {
  const std::int64_t now = std::time(nullptr);
  ApiKey wanted;
  wanted.name = options.name;
  wanted.group = options.group;
  wanted.models = options.models;
  wanted.limits = options.limits;
  wanted.created = now;
  PREMISE_TRY(wanted.scopes, parse_scopes(options.scopes));
  PREMISE_TRY(wanted.expires, parse_expiry(options.expires, now));
  PREMISE_TRY(KeyStore store, open_keys());
  PREMISE_TRY(const CreatedKey created, store.create(std::move(wanted), local_user()));
  if (options.json) {
    Json document = {{"name", created.key.name}, {"key", created.secret}};
    document.update(key_as_json(created.key));
    console.write(json_line(document));
  } else {
    console.write(created.secret + "\n");
  }
  console.say(text({"keep it now: it is stored as a hash and cannot be shown again",
                    "请立即保存：库中只存其哈希值，之后无法再次显示"}));
  return 0;
}

std::string key_state(const ApiKey& key, std::int64_t now, Language language) {
  if (key.revoked != 0) return text({"revoked", "已撤销"}).in(language);
  if (key.expires == 0) return text({"works", "有效"}).in(language);
  if (key.expires <= now) return text({"expired", "已过期"}).in(language);
  return text({"until {}", "有效至 {}"}, keys_utc_time(key.expires)).in(language);
}

std::string keys_table(const std::vector<ApiKey>& keys, std::int64_t now, Language language) {
  const auto say = [language](Phrase<> phrase) { return text(phrase).in(language); };
  std::vector<std::vector<std::string>> rows{
      {say({"NAME", "名称"}), say({"GROUP", "组"}), say({"SCOPES", "权限"}),
       say({"MODELS", "模型"}), say({"LAST USE", "最近使用"}), say({"STATE", "状态"})}};
  for (const ApiKey& key : keys) {
    std::string models;
    for (const std::string& model : key.models) models += (models.empty() ? "" : ",") + model;
    rows.push_back({printable(key.name), key.group.empty() ? "-" : printable(key.group),
                    scope_names(key.scopes),
                    models.empty() ? say({"all", "全部"}) : printable(models),
                    key.last_used == 0 ? say({"never", "从未"}) : keys_utc_time(key.last_used),
                    key_state(key, now, language)});
  }
  return aligned_table(rows, "llllll");
}

Result<int> list_keys(Console& console, const KeysOptions& options) {
  PREMISE_TRY(KeyStore store, open_keys());
  PREMISE_TRY(const std::vector<ApiKey> keys, store.list());
  if (options.json) {
    Json list = Json::array();
    for (const ApiKey& key : keys) list.push_back(key_as_json(key));
    console.write(json_line(list));
  } else if (keys.empty()) {
    console.say(text({"no keys; premise keys create --name alice makes one",
                      "尚无密钥；执行 premise keys create --name alice 可创建"}));
  } else {
    console.write(keys_table(keys, std::time(nullptr), console.language()));
  }
  return 0;
}

Result<int> revoke_key(Console& console, const KeysOptions& options) {
  PREMISE_TRY(KeyStore store, open_keys());
  PREMISE_TRY(const bool found, store.revoke(options.name, std::time(nullptr), local_user()));
  if (!found) {
    return error(ErrorCode::no, {"no working key is named \"{}\"", "没有名为 \"{}\" 的有效密钥"},
                 printable(options.name))
        .with_hint(text({"premise keys list shows them", "premise keys list 可列出全部密钥"}));
  }
  if (options.json) {
    console.write(json_line({{"name", options.name}, {"revoked", true}}));
  } else {
    console.say(text({"{}: revoked; a running server refuses it within a second",
                      "{}：已撤销；运行中的服务将在一秒内拒绝它"},
                     options.name));
  }
  return 0;
}

void declare_create(CLI::App& create, KeysOptions& options, Language language) {
  const auto say = [language](Phrase<> phrase) { return text(phrase).in(language); };
  create.add_option("--group", options.group,
                    say({"share the prefix cache with this group", "与该组共享前缀缓存"}));
  create
      .add_option(
          "--scope", options.scopes,
          say({"inference, metrics, admin; may be repeated", "inference、metrics、admin；可重复"}))
      ->delimiter(',')
      ->capture_default_str();
  create
      .add_option("--model", options.models,
                  say({"may use this model only; may be repeated", "只能使用该模型；可重复"}))
      ->delimiter(',');
  const auto limit = [&](const char* name, std::int64_t& value, Phrase<> what) {
    create.add_option(name, value, say(what))
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 53));
  };
  limit("--rpm", options.limits.requests_per_minute, {"requests per minute", "每分钟请求数"});
  limit("--tpm", options.limits.tokens_per_minute, {"tokens per minute", "每分钟词元数"});
  limit("--rpd", options.limits.requests_per_day, {"requests per day (UTC)", "每日请求数（UTC）"});
  limit("--tpd", options.limits.tokens_per_day, {"tokens per day (UTC)", "每日词元数（UTC）"});
  create
      .add_option("--expires", options.expires,
                  say({"30d, 12h, 2030-01-31 or never", "30d、12h、2030-01-31 或 never"}))
      ->capture_default_str();
}

CommandRun declare_keys(CLI::App& app, Language language) {
  const auto options = std::make_shared<KeysOptions>();
  const auto say = [language](Phrase<> phrase) { return text(phrase).in(language); };
  app.require_subcommand(1);
  CLI::App* create =
      app.add_subcommand("create", say({"make a key and show it once", "创建密钥并显示一次"}));
  CLI::App* list = app.add_subcommand("list", say({"show the keys", "列出密钥"}));
  CLI::App* revoke = app.add_subcommand("revoke", say({"make a key stop working", "撤销密钥"}));
  create->add_option("--name", options->name, say({"whose key it is", "密钥名称"}))->required();
  declare_create(*create, *options, language);
  revoke->add_option("NAME,--name", options->name, say({"name of the key", "密钥名称"}))
      ->required();
  for (CLI::App* sub : {create, list, revoke})
    sub->add_flag("--json", options->json, say({"print a JSON document", "输出 JSON"}));
  return [options, create, list](Console& console) {
    if (create->parsed()) return create_key(console, *options);
    if (list->parsed()) return list_keys(console, *options);
    return revoke_key(console, *options);
  };
}

}  // namespace

extern const Command keys_command;
const Command keys_command{
    .name = "keys",
    .order = 80,
    .summary = {"who may use the service: create, list, revoke API keys",
                "管理服务的 API 密钥：创建、列出、撤销"},
    .examples =
        {"premise keys create --name alice --model gemma3:270m-base --rpm 60 --expires 30d\n"
         "premise keys list --json\npremise keys revoke alice",
         "premise keys create --name alice --model gemma3:270m-base --rpm 60 --expires 30d\n"
         "premise keys list --json\npremise keys revoke alice"},
    .declare = declare_keys};

}  // namespace premise
