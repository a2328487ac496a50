// Help texts. CLI11 can format help, but its labels, its order and its line breaks change from
// version to version and know no second language, so the text is laid out here from its data.
#pragma once

#include <span>
#include <string>

#include "base/text.h"
#include "cli/command.h"

namespace premise {

/// What `premise --help` prints: usage, the commands by their order, options that go everywhere.
std::string program_help(std::span<const Command* const> commands, Language language);

/// What `premise COMMAND --help` prints: usage, arguments, options, subcommands, examples.
/// `app` is the command's, or the subcommand's that was asked about.
std::string command_help(const CLI::App& app, const Command& command, Language language);

/// How an option is called towards people: "--context", "-n", or "MODEL" for an argument.
std::string option_label(const CLI::Option& option);

/// What stands for an option's value in help: "N" for a whole number, "X" for any, else its type
/// ("TEXT"); empty for a flag.
std::string value_label(const CLI::Option& option);

/// What an option takes, for a message: "a whole number from 1 to 1024".
Text expected_value(const CLI::Option& option);

/// Columns that a terminal needs for `text`: East Asian wide characters take two.
std::size_t display_width(std::string_view text);

}  // namespace premise
