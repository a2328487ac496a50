#include "machine/facts/os_release.h"

#include <algorithm>

#include "machine/facts/words.h"

namespace premise {
namespace {

/// The value of a shell assignment: quotes and backslashes taken away.
std::string unquoted(std::string_view value) {
  value = trimmed(value);
  if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
      value.back() == value.front()) {
    value = value.substr(1, value.size() - 2);
  }
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\' && i + 1 < value.size()) ++i;
    out += value[i];
  }
  return out;
}

int number_at(std::string_view version, std::size_t index) {
  const auto pieces = pieces_of(version, '.');
  if (index >= pieces.size()) return 0;
  const auto value = whole_number(pieces[index]);
  return value && *value >= 0 && *value < 100'000 ? static_cast<int>(*value) : 0;
}

bool is_one_of(const OsRelease& os, std::initializer_list<std::string_view> ids) {
  const auto listed = [&](std::string_view id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
  };
  return listed(os.id) || std::any_of(os.like.begin(), os.like.end(), listed);
}

}  // namespace

int OsRelease::major() const { return number_at(version, 0); }
int OsRelease::minor() const { return number_at(version, 1); }

std::string OsRelease::installer() const {
  if (is_one_of(*this, {"debian", "ubuntu"})) return "apt";
  if (is_one_of(*this, {"rhel", "fedora", "centos", "openeuler", "anolis", "kylin"})) return "dnf";
  if (is_one_of(*this, {"suse", "opensuse"})) return "zypper";
  if (is_one_of(*this, {"arch"})) return "pacman";
  return id == "alpine" ? "apk" : "";
}

OsRelease read_os_release(MachineSource& machine) {
  FileAnswer file = machine.read_file("/etc/os-release");
  if (!file) file = machine.read_file("/usr/lib/os-release");
  OsRelease os;
  for (const std::string_view line : lines_of(file.text)) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || line.starts_with('#')) continue;
    const std::string_view key = line.substr(0, equals);
    const std::string value = unquoted(line.substr(equals + 1));
    if (key == "ID") os.id = value;
    if (key == "VERSION_ID") os.version = value;
    if (key == "PRETTY_NAME") os.name = value;
    if (key == "ID_LIKE")
      for (const std::string_view word : words_of(value)) os.like.emplace_back(word);
  }
  if (os.name.empty()) os.name = os.id + (os.version.empty() ? "" : " " + os.version);
  return os;
}

std::string install_command(const OsRelease& os, std::string_view debian, std::string_view rpm) {
  const std::string installer = os.installer();
  if (installer == "apt") return "sudo apt install -y " + std::string(debian);
  if (installer == "pacman") return "sudo pacman -S " + std::string(rpm);
  if (installer == "apk") return "sudo apk add " + std::string(rpm);
  return "sudo " + (installer.empty() ? "dnf" : installer) + " install -y " + std::string(rpm);
}

}  // namespace premise
