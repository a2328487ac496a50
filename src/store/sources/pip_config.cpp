// pip's own rules, read here rather than asked of `pip config list`: the machine that runs Premise
// needs no Python, and that command prints values in Python's syntax, meant for people.
//
// Files, the later one winning key by key: system (XDG_CONFIG_DIRS, /etc), user (~/.pip, then
// XDG_CONFIG_HOME), virtual environment, PIP_CONFIG_FILE. Where PIP_CONFIG_FILE names a file that
// exists the user's are skipped; where it is /dev/null all files are. Within what is left, section
// [global] gives way to [download] and [install], the commands that fetch packages, and those to
// variables PIP_<KEY>. An empty value counts as absent. Source: pip's documentation,
// "Configuration".
#include "store/sources/pip_config.h"

#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>
#include <system_error>

#include "base/printable.h"

namespace premise {
namespace {

namespace fs = std::filesystem;

// pip's default index: the only address of a package registry in this program.
constexpr std::string_view default_index = "https://pypi.org/simple";

constexpr std::uintmax_t file_bytes_max = 1 << 20;
constexpr std::string_view blanks = " \t\r\f\v";

using Values = std::map<std::string, std::string>;  // "section.key" → value

std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n\f\v");
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(" \t\r\n\f\v") - begin + 1));
}

/// "INDEX_URL", "--index-url" → "index-url".
std::string key_name(std::string_view typed) {
  std::string name;
  for (const char c : typed) {
    name.push_back(c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  }
  return name.starts_with("--") ? name.substr(2) : name;
}

Error no_ini_file(const fs::path& path, std::size_t line) {
  return error(ErrorCode::usage, {"{}: line {} is no \"key = value\"", "{}：第 {} 行不是“键 = 值”"},
               path.string(), line)
      .with_hint(text({"mend the file, or set PIP_CONFIG_FILE to another one",
                       "请修正该文件，或用 PIP_CONFIG_FILE 指定其他文件"}));
}

/// The ini dialect of Python's RawConfigParser: '#' or ';' begins a comment line, '=' or ':' parts
/// key and value, and an indented line goes on with the value above.
Status read_ini(const fs::path& path, Values& values) {
  std::error_code code;
  if (!fs::is_regular_file(path, code) || fs::file_size(path, code) > file_bytes_max) return {};
  std::ifstream stream(path);
  std::string section;
  std::string* value = nullptr;
  std::string line;
  for (std::size_t number = 1; std::getline(stream, line); ++number) {
    const std::string text = trimmed(line);
    if (text.empty() || text[0] == '#' || text[0] == ';') continue;
    if (blanks.find(line[0]) != std::string_view::npos && value != nullptr) {
      *value += "\n" + text;
    } else if (text.front() == '[' && text.back() == ']') {
      section = text.substr(1, text.size() - 2);
      value = nullptr;
    } else if (const std::size_t sign = text.find_first_of("=:");
               sign != std::string::npos && sign > 0 && !section.empty()) {
      value = &values[section + "." + key_name(trimmed(text.substr(0, sign)))];
      *value = trimmed(text.substr(sign + 1));
    } else {
      return no_ini_file(path, number);
    }
  }
  return {};
}

std::optional<fs::path> folder_of(const Environment& environment, const char* variable) {
  const auto value = environment(variable);
  if (!value || value->empty()) return std::nullopt;
  return fs::path(*value);
}

std::vector<fs::path> config_files(const Environment& environment, const fs::path& system_file) {
  std::vector<fs::path> files;
  const auto chosen = folder_of(environment, "PIP_CONFIG_FILE");
  if (chosen == fs::path("/dev/null")) return files;
  std::stringstream system(std::string(environment("XDG_CONFIG_DIRS").value_or("/etc/xdg")));
  for (std::string folder; std::getline(system, folder, ':');) {
    if (!folder.empty()) files.push_back(fs::path(folder) / "pip" / "pip.conf");
  }
  files.push_back(system_file);
  std::error_code code;
  if (!chosen || !fs::exists(*chosen, code)) {
    const auto home = folder_of(environment, "HOME");
    if (home) files.push_back(*home / ".pip" / "pip.conf");
    const auto user = folder_of(environment, "XDG_CONFIG_HOME");
    if (user) files.push_back(*user / "pip" / "pip.conf");
    if (!user && home) files.push_back(*home / ".config" / "pip" / "pip.conf");
  }
  if (const auto venv = folder_of(environment, "VIRTUAL_ENV")) files.push_back(*venv / "pip.conf");
  if (chosen) files.push_back(*chosen);
  return files;
}

class Settings {
 public:
  Settings(Values values, const Environment& environment)
      : values_(std::move(values)), environment_(environment) {}

  std::string get(const std::string& key) const {
    std::string variable = "PIP_";
    for (const char c : key) {
      variable.push_back(c == '-' ? '_'
                                  : static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
    }
    if (const auto value = environment_(variable.c_str()); value && !trimmed(*value).empty()) {
      return trimmed(*value);
    }
    for (const char* section : {"install.", "download.", "global."}) {
      const auto found = values_.find(section + key);
      if (found != values_.end() && !found->second.empty()) return found->second;
    }
    return {};
  }

  std::vector<std::string> words(const std::string& key) const {
    std::istringstream stream(get(key));
    return {std::istream_iterator<std::string>(stream), {}};
  }

  bool is_on(const std::string& key) const {
    const std::string value = key_name(get(key));
    return value == "1" || value == "true" || value == "yes" || value == "on" || value == "t" ||
           value == "y";
  }

 private:
  Values values_;
  const Environment& environment_;
};

/// The names under which programs of Python's world look for another CA bundle.
std::string certificates(const Settings& settings, const Environment& environment) {
  if (std::string path = settings.get("cert"); !path.empty()) return path;
  for (const char* variable : {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    if (const auto value = environment(variable); value && !value->empty())
      return std::string(*value);
  }
  return {};
}

Result<std::chrono::seconds> timeout(const Settings& settings) {
  std::string typed = settings.get("timeout");
  if (typed.empty()) typed = settings.get("default-timeout");
  if (typed.empty()) return PipConfig{}.timeout;
  constexpr double seconds_max = 3600;
  char* end = nullptr;
  const double seconds = std::strtod(typed.c_str(), &end);
  if (*end == '\0' && seconds > 0 && seconds <= seconds_max) {
    return std::chrono::seconds(static_cast<long>(seconds) + (seconds < 1 ? 1 : 0));
  }
  return error(ErrorCode::usage,
               {"pip's timeout \"{}\" is no number of seconds", "pip 的 timeout“{}”不是秒数"},
               printable(typed));
}

}  // namespace

Result<PipConfig> read_pip_config(const Environment& environment, const fs::path& system_file) {
  Values values;
  for (const fs::path& file : config_files(environment, system_file))
    PREMISE_CHECK(read_ini(file, values));
  const Settings settings(std::move(values), environment);
  PipConfig config;
  config.find_links = settings.words("find-links");
  if (!settings.is_on("no-index")) {
    const std::string index = settings.get("index-url");
    config.indexes.push_back(index.empty() ? std::string(default_index) : index);
    for (std::string& extra : settings.words("extra-index-url")) {
      config.indexes.push_back(std::move(extra));
    }
  }
  config.certificates = certificates(settings, environment);
  config.client_certificate = settings.get("client-cert");
  config.proxy = settings.get("proxy");
  config.trusted_hosts = settings.words("trusted-host");
  PREMISE_TRY(config.timeout, timeout(settings));
  return config;
}

}  // namespace premise
