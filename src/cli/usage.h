// Wrong usage, said in both languages. CLI11 reports by exceptions with English texts whose wording
// differs between versions; the kind of exception and the state of the App say what happened, and
// the sentence is made here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/language.h"
#include "base/result.h"
#include "cli/command.h"

namespace premise {

/// What to show instead of running: nothing parsed wrong, help was asked for.
struct HelpWanted {
  const CLI::App* app;  // of the command, or of its subcommand
};

/// Parses `args` into `root`, the command's App. Errors have the code `usage`.
Result<std::optional<HelpWanted>> parse_arguments(CLI::App& root, std::vector<std::string> args);

/// Takes `--lang zh` or `--lang=zh` out of `args`, wherever it stands before a "--".
Result<std::optional<Language>> take_language(std::vector<std::string>& args);

/// "unknown command", with the nearest one.
Error unknown_command(const std::string& typed, std::span<const Command* const> commands);

}  // namespace premise
