#include "machine/facts/python_site.h"

#include <algorithm>
#include <cctype>

#include "machine/facts/words.h"

namespace premise {
namespace {

constexpr const char* where = "import sys; print(sys.version.split()[0], *sys.path, sep='\\n')";
constexpr std::size_t folders_max = 32;

// PEP 503: letters lower, runs of "-", "_" and "." one "-".
std::string normalized(std::string_view name) {
  std::string result;
  for (const char c : name) {
    const bool separator = c == '-' || c == '_' || c == '.';
    if (!separator) {
      result.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    } else if (!result.empty() && result.back() != '-') {
      result.push_back('-');
    }
  }
  return result;
}

// "tensorflow_gpu-2.10.0.dist-info", "numpy-1.21.5.egg-info", "six-1.16.0-py3.9.egg-info"
void take_package(std::string_view entry, const std::string& folder, PythonSite& site) {
  for (const std::string_view ending : {".dist-info", ".egg-info"}) {
    if (!entry.ends_with(ending)) continue;
    entry.remove_suffix(ending.size());
    const std::size_t dash = entry.find('-');
    if (dash == std::string_view::npos || dash == 0) return;
    const std::string_view rest = entry.substr(dash + 1);
    // The first folder of the path wins, as for the interpreter.
    site.packages.try_emplace(normalized(entry.substr(0, dash)),
                              PythonPackage{std::string(rest.substr(0, rest.find("-py"))), folder});
    return;
  }
}

}  // namespace

const PythonPackage* PythonSite::find(std::string_view name) const {
  const auto found = packages.find(name);
  return found == packages.end() ? nullptr : &found->second;
}

PythonSite read_python_site(MachineSource& machine) {
  PythonSite site;
  const CommandAnswer answer = machine.run_command({"python3", "-c", where});
  site.state = answer.state;
  if (!answer) return site;
  const std::vector<std::string_view> lines = lines_of(answer.out);
  if (lines.empty()) return site;
  site.version = trimmed(lines.front());
  for (std::size_t i = 1; i < std::min(lines.size(), folders_max); ++i) {
    const std::string folder(lines[i]);
    if (!folder.starts_with('/')) continue;  // "" is the current folder
    for (const std::string& entry : machine.list_folder(folder).names) {
      take_package(entry, folder, site);
    }
  }
  return site;
}

std::optional<std::string> python_assignment(std::string_view source, std::string_view name) {
  for (std::string_view line : lines_of(source)) {
    if (!line.starts_with(name)) continue;
    const std::string_view after = line.substr(name.size());
    if (after.empty() || (after[0] != ' ' && after[0] != ':' && after[0] != '=')) continue;
    const std::size_t equals = after.find('=');
    if (equals == std::string_view::npos) continue;
    std::string_view value = trimmed(after.substr(equals + 1));
    if (value.size() < 2 || (value.front() != '\'' && value.front() != '"')) return std::nullopt;
    value.remove_prefix(1);
    return std::string(value.substr(0, value.find_first_of("'\"")));
  }
  return std::nullopt;
}

}  // namespace premise
