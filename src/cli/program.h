// The program as a function: parses the command line, runs one command, reports its error.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/console.h"

namespace premise {

/// What main() does: signals, language from the environment, then run(). Returns the exit code
/// (SPEC section 8).
int run_program(int argc, char** argv);

/// The program without a process: `args` without the program's name. Throws nothing; whatever goes
/// wrong is reported on the console, and the exit code says its kind.
int run(std::vector<std::string> args, Console& console,
        std::span<const Command* const> commands = all_cli());

}  // namespace premise
