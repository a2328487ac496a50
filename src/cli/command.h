// What a command of the program is. One command, one file: src/cli/command_<name>.cpp exports one
// constant, and CMake writes the table all_cli() from the file list.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "base/text.h"
#include "cli/console.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace premise {

/// Runs a parsed command; the value is the exit code (0 done, 1 the answer is "no").
using CommandRun = std::function<Result<int>(Console&)>;

struct Command {
  std::string_view name;
  int order;          // place in the list of `premise --help`; ten apart
  Phrase<> summary;   // one line for that list
  Phrase<> examples;  // lines under "Examples", ready to be typed

  /// Declares arguments and options on `app`, and returns what to run once they are parsed.
  CommandRun (*declare)(CLI::App& app, Language language);
};

/// Every command, sorted by file name (written by cmake/PremiseRoom.cmake).
std::span<const Command* const> all_cli();

}  // namespace premise
