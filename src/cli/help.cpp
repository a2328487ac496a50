#include "cli/help.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cstdint>
#include <utility>
#include <vector>

namespace premise {
namespace {

struct HelpRow {
  std::string label;
  std::string text;
};

constexpr std::size_t label_columns_max = 30;  // longer labels get a line of their own

std::string title(const Phrase<>& phrase, Language language) {
  const auto& chosen = language == Language::chinese ? phrase.zh : phrase.en;
  return fmt::format(chosen) + "\n";
}

std::string table(const std::vector<HelpRow>& rows) {
  std::size_t width = 0;
  for (const HelpRow& row : rows) {
    const std::size_t columns = display_width(row.label);
    if (columns <= label_columns_max) width = std::max(width, columns);
  }
  std::string out;
  for (const HelpRow& row : rows) {
    const std::size_t columns = display_width(row.label);
    out += "  " + row.label;
    if (columns > width) {
      out += "\n" + std::string(width + 4, ' ');
    } else {
      out += std::string(width - columns + 2, ' ');
    }
    for (const char c : row.text) {  // further lines of a text stand below its first one
      out += c;
      if (c == '\n') out += std::string(width + 4, ' ');
    }
    out += "\n";
  }
  return out;
}

/// Every line two columns in, as tables are; deeper lines keep their depth.
std::string indented(std::string_view lines) {
  std::string out;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    const std::string_view line = lines.substr(0, end);
    out += line.empty() || line.starts_with("  ") ? std::string(line) : "  " + std::string(line);
    out += "\n";
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
  }
  return out;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

bool is_help(const CLI::Option& option) { return option.check_name("--help"); }

/// "-n, --tokens N": every name, then what is expected.
std::string option_row_label(const CLI::Option& option) {
  std::string names;
  for (const std::string& name : option.get_snames()) names += (names.empty() ? "-" : ", -") + name;
  for (const std::string& name : option.get_lnames()) {
    names += (names.empty() ? "--" : ", --") + name;
  }
  const std::string value = value_label(option);
  return value.empty() ? names : names + " " + value;
}

/// The description, and the default where there is one: "prompt lengths (default: 512)".
std::string option_row_text(const CLI::Option& option, Language language) {
  std::string value = option.get_default_str();
  if (value.starts_with('[') && value.ends_with(']')) value = value.substr(1, value.size() - 2);
  if (value.empty() || option.get_type_size() == 0) return option.get_description();
  return option.get_description() + text({" (default: {})", "（默认：{}）"}, value).in(language);
}

std::string usage_line(const CLI::App& app) {
  std::string path = app.get_name();
  for (const CLI::App* up = app.get_parent(); up != nullptr; up = up->get_parent()) {
    path = up->get_name() + " " + path;
  }
  std::string line = "  " + path;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_positional()) continue;
    const bool many = option->get_items_expected_max() > 1;
    const std::string label = option_label(*option) + (many ? "…" : "");
    line += option->get_required() ? " " + label : " [" + label + "]";
  }
  const bool has_subcommands = !app.get_subcommands({}).empty();
  return line + (has_subcommands ? " SUBCOMMAND …" : " [OPTIONS]") + "\n";
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t columns = 0;
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte < 0x80 || (byte >= 0xc2 && byte < 0xe0)) columns += 1;
    if (byte == 0xe2) columns += 1;                 // punctuation such as "…" and "–"
    if (byte >= 0xe3 && byte < 0xf0) columns += 2;  // CJK, Hangul, full-width forms
    if (byte >= 0xf0) columns += 2;                 // emoji and rare Han
  }
  return columns;
}

std::string value_label(const CLI::Option& option) {
  if (option.get_type_size() == 0) return "";
  // CLI11 appends what its validators say of themselves: "UINT:INT in [1 - 1000]".
  const std::string type = option.get_type_name();
  const std::string name = type.substr(0, type.find(':'));
  if (name == "INT" || name == "UINT") return "N";
  return name == "FLOAT" ? "X" : name;
}

Text expected_value(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::string label = value_label(option);
  if (label == "X") return text({"a number", "数字"});
  if (label != "N") return {label, label};
  constexpr std::string_view opening = " in [";
  constexpr std::string_view middle = " - ";
  const auto begin = type.find(opening);
  const auto dash = type.find(middle, begin == type.npos ? 0 : begin);
  const auto end = type.find(']', dash == type.npos ? 0 : dash);
  if (begin == type.npos || dash == type.npos || end == type.npos)
    return text({"a whole number", "整数"});
  const std::string least = type.substr(begin + opening.size(), dash - begin - opening.size());
  const std::string most = type.substr(dash + middle.size(), end - dash - middle.size());
  return text({"a whole number from {} to {}", "{} 到 {} 的整数"}, least, most);
}

std::string option_label(const CLI::Option& option) {
  if (option.get_positional()) return upper(option.get_single_name());
  if (!option.get_lnames().empty()) return "--" + option.get_lnames().front();
  return option.get_name();
}

std::string program_help(std::span<const Command* const> commands, Language language) {
  std::vector<const Command*> ordered(commands.begin(), commands.end());
  std::sort(ordered.begin(), ordered.end(), [](const Command* a, const Command* b) {
    return std::pair(a->order, a->name) < std::pair(b->order, b->name);
  });
  std::vector<HelpRow> rows;
  for (const Command* command : ordered) {
    rows.push_back({std::string(command->name), text(command->summary).in(language)});
  }
  const auto say = [&](const Phrase<>& phrase) { return text(phrase).in(language); };
  std::string out = title({"Premise: large language models on your own machines.\n",
                           "Premise：在自己的机器上运行大语言模型。\n"},
                          language);
  out += title({"Usage:", "用法："}, language) + "  premise COMMAND …\n\n";
  out += title({"Commands:", "命令："}, language) + table(rows) + "\n";
  out += title({"Options for every command:", "所有命令通用的选项："}, language);
  out += table({{"-h, --help", say({"show help and exit", "显示帮助并退出"})},
                {"--version", say({"show the version and exit", "显示版本并退出"})},
                {"--lang en|zh", say({"language of messages (default: from the locale)",
                                      "消息语言（默认取自系统区域设置）"})}});
  out += "\n";
  out += title({"First steps:", "快速上手："}, language);
  out += "  premise pull gemma3:270m-base\n";
  out += "  premise complete gemma3:270m-base -p \"" + say({"The sea at night is", "夜晚的大海"}) +
         "\"\n\n";
  out += title(
      {"More about a command: premise help COMMAND", "查看某个命令的说明：premise help COMMAND"},
      language);
  return out;
}

std::string command_help(const CLI::App& app, const Command& command, Language language) {
  std::vector<HelpRow> positionals;
  std::vector<HelpRow> options;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;  // hidden
    if (option->get_positional()) {
      positionals.push_back({option_label(*option), option->get_description()});
    } else if (!is_help(*option)) {
      options.push_back({option_row_label(*option), option_row_text(*option, language)});
    }
  }
  options.push_back(
      {"-h, --help", text({"show this help and exit", "显示本帮助并退出"}).in(language)});
  std::vector<HelpRow> subcommands;
  for (const CLI::App* child : app.get_subcommands({})) {
    subcommands.push_back({child->get_name(), child->get_description()});
  }

  std::string out = text(command.summary).in(language) + "\n\n";
  out += title({"Usage:", "用法："}, language) + usage_line(app);
  if (!positionals.empty()) {
    out += "\n" + title({"Arguments:", "参数："}, language) + table(positionals);
  }
  if (!subcommands.empty()) {
    out += "\n" + title({"Subcommands:", "子命令："}, language) + table(subcommands);
  }
  out += "\n" + title({"Options:", "选项："}, language) + table(options);
  const std::string examples = text(command.examples).in(language);
  if (!examples.empty())
    out += "\n" + title({"Examples:", "示例："}, language) + indented(examples);
  return out;
}

}  // namespace premise
