// Where this machine's pip would look for packages, and how it would get there.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "base/language.h"
#include "base/result.h"

namespace premise {

struct PipConfig {
  std::vector<std::string> find_links;  // URLs or paths, asked first
  std::vector<std::string> indexes;     // URLs in the order to be asked; empty with no-index
  std::string certificates;             // CA bundle (file or folder); empty: the system's
  std::string client_certificate;       // PEM file; empty: none
  std::string proxy;                    // empty: what the environment says
  std::vector<std::string>
      trusted_hosts;  // "host" or "host:port", whose certificate is not checked
  std::chrono::seconds timeout{15};
};

/// Reads pip's files and variables. An unreadable or absent file counts as empty, as with pip; a
/// file that is no ini file is an Error (usage).
/// `system_file` is a seam for tests.
Result<PipConfig> read_pip_config(const Environment& environment,
                                  const std::filesystem::path& system_file = "/etc/pip.conf");

}  // namespace premise
