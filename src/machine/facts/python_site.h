// The Python that a user's frameworks are installed in: `python3` of the PATH, and what lies in its
// site-packages. One short child process names the folders; packages are then read as files (their
// metadata folders carry name and version), since importing a framework takes seconds.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "machine/source.h"

namespace premise {

struct PythonPackage {
  std::string version;
  std::string folder;  // the site-packages folder that it lies in
};

struct PythonSite {
  CommandState state = CommandState::not_found;                // of python3 itself
  std::string version;                                         // "3.11.2"; empty unless it answered
  std::map<std::string, PythonPackage, std::less<>> packages;  // by normalized name: "torch"

  const PythonPackage* find(std::string_view name) const;
};

PythonSite read_python_site(MachineSource& machine);

/// The value assigned to a name in a line of Python, without quotes: `cuda: Optional[str] = '12.8'`
/// gives "12.8"; nothing where no line assigns it, or it is None.
std::optional<std::string> python_assignment(std::string_view source, std::string_view name);

}  // namespace premise
