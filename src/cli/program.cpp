#include "cli/program.h"

#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <new>

#include "base/bus_error.h"
#include "base/interrupt.h"
#include "base/language.h"
#include "base/version.h"
#include "cli/help.h"
#include "cli/usage.h"

namespace premise {
namespace {

constexpr int done = 0;

int exit_code(ErrorCode code) { return static_cast<int>(code); }

const Command* find_command(std::span<const Command* const> commands, std::string_view name) {
  for (const Command* command : commands) {
    if (command->name == name) return command;
  }
  return nullptr;
}

Result<int> run_command(const Command& command, std::vector<std::string> args, Console& console) {
  CLI::App app("", "premise " + std::string(command.name));
  app.set_help_flag("-h,--help", "");
  const CommandRun run_it = command.declare(app, console.language());
  PREMISE_TRY(const auto help, parse_arguments(app, std::move(args)));
  if (help) {
    console.write(command_help(*help->app, command, console.language()));
    return done;
  }
  return run_it(console);
}

/// `premise help COMMAND …` is `premise COMMAND … --help`.
Result<int> show_help(std::vector<std::string> topic, Console& console,
                      std::span<const Command* const> commands) {
  if (topic.empty()) {
    console.write(program_help(commands, console.language()));
    return done;
  }
  const Command* command = find_command(commands, topic.front());
  if (command == nullptr) return unknown_command(topic.front(), commands);
  topic.erase(topic.begin());
  topic.emplace_back("--help");
  return run_command(*command, std::move(topic), console);
}

Result<int> dispatch(std::vector<std::string> args, Console& console,
                     std::span<const Command* const> commands) {
  if (args.empty()) {
    console.say(
        {program_help(commands, Language::english), program_help(commands, Language::chinese)});
    return exit_code(ErrorCode::usage);
  }
  const std::string name = args.front();
  args.erase(args.begin());
  if (name == "--version") {
    console.write("premise " + std::string(version()) + "\n");
    return done;
  }
  if (name == "-h" || name == "--help") return show_help({}, console, commands);
  if (name == "help") return show_help(std::move(args), console, commands);
  if (const Command* command = find_command(commands, name)) {
    return run_command(*command, std::move(args), console);
  }
  if (name.starts_with("-")) {
    return error(ErrorCode::usage, {"unknown option {}", "未知选项 {}"}, name)
        .with_hint(text({"options follow the command: premise COMMAND {}",
                         "选项写在命令之后：premise COMMAND {}"},
                        name));
  }
  return unknown_command(name, commands);
}

Error bug(std::string_view what) {
  return error(ErrorCode::internal,
               {"this is a bug in Premise {}: {}", "这是 Premise {} 的缺陷：{}"}, version(), what)
      .with_hint(
          text({"please report it with the command that led here", "请附上所用的命令报告此问题"}));
}

/// The border where exceptions end: nothing above this line knows of them.
Result<int> dispatch_safely(std::vector<std::string> args, Console& console,
                            std::span<const Command* const> commands) {
  try {
    return dispatch(std::move(args), console, commands);
  } catch (const std::bad_alloc&) {
    return error(ErrorCode::no_resources, {"not enough memory", "内存不足"});
  } catch (const std::exception& failure) {
    return bug(failure.what());
  } catch (...) {
    return bug("unknown exception");
  }
}

/// A program started with standard output closed would get its number for the next file it opens,
/// say the store's database, and print into it. The closed ones are held by what cannot be used.
void hold_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) != -1) continue;
    const int mode = descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY;
    if (::open("/dev/null", mode) != descriptor) std::abort();  // the lowest free one, by POSIX
  }
}

}  // namespace

int run(std::vector<std::string> args, Console& console, std::span<const Command* const> commands) {
  const Result<std::optional<Language>> language = take_language(args);
  if (!language.ok()) {
    console.report(language.error());
    return exit_code(language.error().code);
  }
  Console spoken = console.in(language.value().value_or(console.language()));
  const Result<int> result = dispatch_safely(std::move(args), spoken, commands);
  const Status written = spoken.finish();
  if (!result.ok()) {
    spoken.report(result.error());
    return exit_code(result.error().code);
  }
  if (!written.ok()) {
    spoken.report(written.error());
    return exit_code(written.error().code);
  }
  return result.value();
}

int run_program(int argc, char** argv) {
  hold_standard_descriptors();
  std::signal(SIGPIPE, SIG_IGN);  // a reader that went away is told by write(), see Console
  Interrupt interrupt;
  interrupt.install();
  const Language language = detect_language(process_environment);
  end_cleanly_on_bus_error(language);
  Console console(stdout, stderr, language, &interrupt);
  return run(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc), console);
}

}  // namespace premise
