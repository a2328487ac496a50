// premise.toml into a Config: every table and key known, every value checked.
#include <fstream>
#include <set>
#include <sstream>

#include "base/nearest.h"
#include "config/read_value.h"
#include "redis/redis_url.h"

namespace premise {
namespace {

constexpr std::uintmax_t config_bytes_most = 1 << 20;

Error unknown(const std::string& file, const toml::node& node, const std::string& what,
              std::string_view typed, const std::vector<std::string>& known) {
  const auto line = node.source().begin.line;
  const auto near = nearest(typed, known);
  const std::string shown = printable(what);
  return near ? error(ErrorCode::usage,
                      {"{}:{}: unknown key {}; did you mean {}?",
                       "{}:{}：未知的键 {}；您是否想用 {}？"},
                      file, line, shown, *near)
              : error(ErrorCode::usage, {"{}:{}: unknown key {}", "{}:{}：未知的键 {}"}, file, line,
                      shown);
}

template <typename S>
Status read_key(const toml::node& node, const ConfigPlace& place, const ConfigKey<S>& key,
                S& section) {
  PREMISE_CHECK(std::visit(
      [&](auto member) { return read_value(node, place, key.least, key.most, section.*member); },
      key.member));
  const auto* member = std::get_if<std::string S::*>(&key.member);
  if (member == nullptr || key.choices.empty()) return {};
  const std::string& value = section.**member;
  // Such an address is read here, not at the first request; its errors do not repeat it, since a
  // password may stand in it.
  constexpr std::string_view redis = "redis://", redis_tls = "rediss://";
  if (key.choices.find(redis) != std::string_view::npos &&
      (value.starts_with(redis) || value.starts_with(redis_tls))) {
    if (auto url = parse_redis_url(value); !url) {
      const std::string where = fmt::format("{}:{}: {}", place.file, place.line, place.key);
      return at({where, where}, std::move(url).error());
    }
    return {};
  }
  if (is_choice(value, key.choices)) return {};
  std::string choices(key.choices.substr(key.choices.starts_with('|') ? 1 : 0));
  for (auto at = choices.find('|'); at != std::string::npos; at = choices.find('|', at))
    choices.replace(at, 1, ", ");
  return place.wrong(text({"one of: {}", "以下之一：{}"}, choices));
}

template <typename S>
Status read_section(const toml::node& node, const std::string& file, const std::string& name,
                    S& section) {
  const toml::table* table = node.as_table();
  if (table == nullptr)
    return ConfigPlace{file, node.source().begin.line, name}.wrong(
        text({"a table: [{}]", "一个表：[{}]"}, name));
  std::vector<std::string> known;
  for (const auto& key : keys_of(section)) known.emplace_back(key.name);
  for (const auto& [typed, value] : *table) {
    const auto keys = keys_of(section);
    const auto key = std::ranges::find(keys, typed.str(), &ConfigKey<S>::name);
    const std::string full = name + "." + std::string(typed.str());
    if (key == keys.end()) return unknown(file, value, full, typed.str(), known);
    PREMISE_CHECK(read_key(value, {file, value.source().begin.line, full}, *key, section));
  }
  return {};
}

Status read_models(const toml::node& node, const std::string& file, Config& config) {
  const toml::array* list = node.as_array();
  if (list == nullptr)
    return ConfigPlace{file, node.source().begin.line, "model"}.wrong(
        text({"a list of tables: [[model]]", "表的列表：[[model]]"}));
  std::set<std::string> names;
  for (const toml::node& item : *list) {
    ModelConfig model;
    PREMISE_CHECK(read_section(item, file, "model", model));
    const auto line = item.source().begin.line;
    if (model.path.empty())
      return error(ErrorCode::usage, {"{}:{}: this model has no path", "{}:{}：该模型缺少 path"},
                   file, line);
    if (!names.insert(served_name(model)).second)
      return error(ErrorCode::usage,
                   {"{}:{}: two models are named {}; give one of them another name",
                    "{}:{}：有两个模型都叫 {}；请为其中一个另取名称"},
                   file, line, served_name(model));
    config.models.push_back(std::move(model));
  }
  return {};
}

Status check_together(const Config& config, const std::string& file) {
  const ServerConfig& server = config.server;
  if (server.tls_cert.empty() != server.tls_key.empty())
    return error(ErrorCode::usage,
                 {"{}: server.tls_cert and server.tls_key belong together; one of them is missing",
                  "{}：server.tls_cert 与 server.tls_key 必须同时给出，现在缺少其一"},
                 file);
  if (server.host.empty())
    return error(ErrorCode::usage, {"{}: server.host is empty", "{}：server.host 为空"}, file);
  return {};
}

Status read_table(const std::string& name, const toml::node& node, const std::string& file,
                  Config& config) {
  if (name == "model") return read_models(node, file, config);
  Status status;
  bool found = false;
  std::vector<std::string> known = {"model"};
  for_each_section(
      [&](const char* section, auto& into) {
        known.emplace_back(section);
        if (name != section) return;
        found = true;
        status = read_section(node, file, name, into);
      },
      config);
  return found ? status : unknown(file, node, name, name, known);
}

template <typename S>
void resolve(S& section, const std::filesystem::path& folder) {
  const auto absolute = [&](std::string& path) {
    if (!path.empty() && std::filesystem::path(path).is_relative())
      path = (folder / path).lexically_normal().string();
  };
  for (const ConfigKey<S>& key : keys_of(section)) {
    if (!key.is_path) continue;
    if (const auto* one = std::get_if<std::string S::*>(&key.member)) absolute(section.**one);
    if (const auto* list = std::get_if<std::vector<std::string> S::*>(&key.member))
      for (std::string& path : section.**list) absolute(path);
  }
}

/// What lies beside the file is meant; anything else is a name in the store. The name under which
/// clients know the model stays as it was written.
void resolve_model(ModelConfig& model, const std::filesystem::path& folder) {
  std::error_code problem;
  const std::filesystem::path beside = (folder / model.path).lexically_normal();
  if (model.path.empty() || std::filesystem::path(model.path).is_absolute() ||
      !std::filesystem::exists(beside, problem))
    return;
  if (model.name.empty()) model.name = model.path;
  model.path = beside.string();
}

}  // namespace

std::string served_name(const ModelConfig& model) {
  return model.name.empty() ? model.path : model.name;
}

Result<Config> parse_config(std::string_view toml, const std::string& file) {
  try {
    const toml::table root = toml::parse(toml, file);
    Config config;
    for (const auto& [name, node] : root)
      PREMISE_CHECK(read_table(std::string(name.str()), node, file, config));
    PREMISE_CHECK(check_together(config, file));
    return config;
  } catch (const toml::parse_error& broken) {
    return error(ErrorCode::usage, {"{}:{}: this is not TOML: {}", "{}:{}：不是合法的 TOML：{}"},
                 file, broken.source().begin.line, printable(broken.description()));
  }
}

Result<Config> load_config(const std::filesystem::path& path) {
  const std::string name = path.string();
  std::error_code problem;
  const auto bytes = std::filesystem::file_size(path, problem);
  std::ifstream file(path, std::ios::binary);
  if (problem || !file)
    return error(ErrorCode::bad_input, {"{}: cannot be read", "{}：无法读取"}, name);
  if (bytes > config_bytes_most)
    return error(ErrorCode::bad_input,
                 {"{}: {} bytes are too many for a configuration, which has {} at most",
                  "{}：配置文件有 {} 字节，最多只能有 {} 字节"},
                 name, bytes, config_bytes_most);
  std::ostringstream text;
  text << file.rdbuf();
  PREMISE_TRY(Config config, parse_config(text.str(), name));
  const std::filesystem::path folder = std::filesystem::absolute(path).parent_path();
  for_each_section([&](const char*, auto& section) { resolve(section, folder); }, config);
  for (ModelConfig& model : config.models) {
    resolve(model, folder);
    resolve_model(model, folder);
  }
  return config;
}

}  // namespace premise
