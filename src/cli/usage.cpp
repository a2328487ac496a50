#include "cli/usage.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>

#include "base/nearest.h"
#include "base/printable.h"
#include "cli/help.h"

namespace premise {
namespace {

/// The App the user is talking to: the innermost subcommand that was parsed.
const CLI::App& innermost(const CLI::App& app) {
  const CLI::App* current = &app;
  while (!current->get_subcommands().empty()) current = current->get_subcommands().back();
  return *current;
}

std::string path_of(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : path_of(*parent) + " " + app.get_name();
}

Text help_hint(const CLI::App& app) {
  return text({"{} --help lists what it takes", "运行 {} --help 查看可用的参数"}, path_of(app));
}

Text suggestion(std::string_view typed, std::span<const std::string> known, const CLI::App& app) {
  if (const auto name = nearest(typed, known)) {
    return text({"did you mean {}?", "您是不是想输入 {}？"}, *name);
  }
  return help_hint(app);
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

std::vector<std::string> subcommand_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* child : app.get_subcommands({})) names.push_back(child->get_name());
  return names;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

Error unexpected_argument(const CLI::App& app, const std::string& typed) {
  if (typed.size() > 1 && typed[0] == '-') {
    const std::string name = typed.substr(0, typed.find('='));
    return error(ErrorCode::usage, {"{}: unknown option {}", "{}：未知选项 {}"}, path_of(app), name)
        .with_hint(suggestion(name, option_names(app), app));
  }
  const std::vector<std::string> children = subcommand_names(app);
  if (!children.empty()) {
    return error(ErrorCode::usage, {"{}: unknown subcommand {}", "{}：未知子命令 {}"}, path_of(app),
                 typed)
        .with_hint(suggestion(typed, children, app));
  }
  return error(ErrorCode::usage, {"{}: unexpected argument \"{}\"", "{}：多余的参数“{}”"},
               path_of(app), typed)
      .with_hint(help_hint(app));
}

Error missing(const CLI::App& app, const std::string& fallback) {
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_required() || option->count() > 0) continue;
    return error(ErrorCode::usage, {"{}: {} is missing", "{}：缺少 {}"}, path_of(app),
                 option_label(*option))
        .with_hint(help_hint(app));
  }
  if (const auto children = subcommand_names(app); !children.empty()) {
    return error(ErrorCode::usage, {"{}: a subcommand is missing: {}", "{}：缺少子命令：{}"},
                 path_of(app), joined(children))
        .with_hint(help_hint(app));
  }
  return error(ErrorCode::usage, {"{}: arguments are missing ({})", "{}：缺少参数（{}）"},
               path_of(app), fallback)
      .with_hint(help_hint(app));
}

/// The option a message of CLI11 is about: the longest name of one that stands in it as a word.
const CLI::Option* option_in(const CLI::App& app, std::string_view message) {
  const auto is_part = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '-';
  };
  const CLI::Option* found = nullptr;
  std::size_t found_at = std::string_view::npos;
  for (const CLI::Option* option : app.get_options()) {
    std::vector<std::string> names;
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
    if (option->get_positional()) names.push_back(option->get_single_name());
    for (const std::string& name : names) {
      const std::size_t at = message.find(name);
      if (at == std::string_view::npos || at >= found_at) continue;
      const std::size_t end = at + name.size();
      if ((at > 0 && is_part(message[at - 1])) || (end < message.size() && is_part(message[end]))) {
        continue;
      }
      found = option;
      found_at = at;
    }
  }
  return found;
}

Error bad_value(const CLI::App& app, const std::string& message) {
  const CLI::Option* option = option_in(app, message);
  if (option == nullptr) {
    return error(ErrorCode::usage, {"{}: {}", "{}：参数有误：{}"}, path_of(app), message)
        .with_hint(help_hint(app));
  }
  const Text expected = expected_value(*option);
  const std::string path = path_of(app);
  const std::string label = option_label(*option);
  const std::string typed = printable(joined(option->results()));
  // The one argument that is a phrase itself differs by language.
  return Error{ErrorCode::usage,
               {fmt::format("{}: {}: \"{}\" is not a value it takes (expected: {})", path, label,
                            typed, expected.en),
                fmt::format("{}：{}：不接受“{}”（应为：{}）", path, label, typed, expected.zh)},
               help_hint(app)};
}

Error wrong_count(const CLI::App& app, const std::string& message) {
  const CLI::Option* option = option_in(app, message);
  const std::string label = option == nullptr ? message : option_label(*option);
  if (option != nullptr && option->count() > 1) {
    return error(ErrorCode::usage, {"{}: {} is given more than once", "{}：{} 重复出现"},
                 path_of(app), label)
        .with_hint(help_hint(app));
  }
  return error(ErrorCode::usage, {"{}: {} needs a value", "{}：{} 需要一个值"}, path_of(app), label)
      .with_hint(help_hint(app));
}

/// "A excludes B" and "A requires B" are all that CLI11 tells; the words between are stable.
Error about_pair(const CLI::App& app, const std::string& message, std::string_view verb,
                 bool exclude) {
  const std::size_t at = message.find(verb);
  const bool split = at != std::string::npos;
  const std::string first = message.substr(0, at);
  const std::string second = split ? message.substr(at + verb.size()) : std::string("?");
  if (exclude) {
    return error(ErrorCode::usage,
                 {"{}: {} and {} cannot be used together", "{}：{} 与 {} 不能同时使用"},
                 path_of(app), first, second)
        .with_hint(help_hint(app));
  }
  return error(ErrorCode::usage, {"{}: {} goes only together with {}", "{}：{} 必须与 {} 一起使用"},
               path_of(app), first, second)
      .with_hint(help_hint(app));
}

}  // namespace

Result<std::optional<HelpWanted>> parse_arguments(CLI::App& root, std::vector<std::string> args) {
  std::reverse(args.begin(), args.end());  // CLI11 takes them from the back
  try {
    root.parse(std::move(args));
    return std::optional<HelpWanted>{};
  } catch (const CLI::CallForHelp&) {
    return std::optional(HelpWanted{&innermost(root)});
  } catch (const CLI::ExtrasError&) {
    const CLI::App& app = innermost(root);
    const std::vector<std::string> rest = root.remaining(true);
    return unexpected_argument(app, rest.empty() ? std::string("?") : rest.front());
  } catch (const CLI::RequiredError& failure) {
    // A misspelt subcommand is also a missing one; what was typed tells more.
    const CLI::App& app = innermost(root);
    const std::vector<std::string> rest = root.remaining(true);
    return rest.empty() ? missing(app, failure.what()) : unexpected_argument(app, rest.front());
  } catch (const CLI::ArgumentMismatch& failure) {
    return wrong_count(innermost(root), failure.what());
  } catch (const CLI::ExcludesError& failure) {
    return about_pair(innermost(root), failure.what(), " excludes ", true);
  } catch (const CLI::RequiresError& failure) {
    return about_pair(innermost(root), failure.what(), " requires ", false);
  } catch (const CLI::ParseError& failure) {  // conversions, validators
    return bad_value(innermost(root), failure.what());
  }
}

Result<std::optional<Language>> take_language(std::vector<std::string>& args) {
  std::optional<Language> language;
  for (std::size_t i = 0; i < args.size() && args[i] != "--";) {
    const bool joined_value = args[i].starts_with("--lang=");
    if (args[i] != "--lang" && !joined_value) {
      ++i;
      continue;
    }
    if (!joined_value && i + 1 == args.size()) {
      return error(ErrorCode::usage,
                   {"--lang needs a value: en or zh", "--lang 需要一个值：en 或 zh"});
    }
    const std::string name = joined_value ? args[i].substr(7) : args[i + 1];
    language = parse_language(name);
    if (!language) {
      return error(ErrorCode::usage,
                   {"--lang {}: not a language Premise speaks", "--lang {}：Premise 不支持该语言"},
                   name)
          .with_hint(text({"use --lang en or --lang zh", "请使用 --lang en 或 --lang zh"}));
    }
    const auto at = args.begin() + static_cast<std::ptrdiff_t>(i);
    args.erase(at, at + (joined_value ? 1 : 2));
  }
  return language;
}

Error unknown_command(const std::string& typed, std::span<const Command* const> commands) {
  std::vector<std::string> names = {"help"};
  for (const Command* command : commands) names.emplace_back(command->name);
  const auto name = nearest(typed, names);
  return error(ErrorCode::usage, {"unknown command \"{}\"", "未知命令“{}”"}, typed)
      .with_hint(
          name ? text({"did you mean premise {}?", "您是不是想输入 premise {}？"}, *name)
               : text({"premise --help lists the commands", "运行 premise --help 查看所有命令"}));
}

}  // namespace premise
