// Which Linux this is, by os-release(5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "machine/source.h"

namespace premise {

struct OsRelease {
  std::string id;                 // "ubuntu"; empty where there is no os-release
  std::vector<std::string> like;  // families, nearest first
  std::string version;            // "24.04"
  std::string name;               // "Ubuntu 24.04.1 LTS"

  int major() const;  // 24; 0 where the version has no number
  int minor() const;  // 4

  /// The program that installs packages: "apt", "dnf", "zypper", …
  std::string installer() const;
};

OsRelease read_os_release(MachineSource& machine);

/// `sudo apt install NAMES` in the words of this distribution, whose packages may have other names:
/// `debian` and `rpm` are lists separated by blanks.
std::string install_command(const OsRelease& os, std::string_view debian, std::string_view rpm);

}  // namespace premise
