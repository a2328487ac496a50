#include <CLI/CLI.hpp>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/units.h"
#include "cli/command.h"
#include "cli/help.h"
#include "store/store.h"

namespace premise {
namespace {

using Json = nlohmann::ordered_json;

/// "2026-01-31T23:59:59Z", or the local "2026-01-31 23:59" for people.
std::string utc_time(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  gmtime_r(&time, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string local_time(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  localtime_r(&time, &parts);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min);
}

std::string as_json(const std::vector<StoredModel>& models) {
  Json list = Json::array();
  for (const StoredModel& model : models) {
    list.push_back({{"name", model.name.text()},
                    {"bytes", model.bytes},
                    {"sha256", model.sha256},
                    {"format", model.format},
                    {"created", utc_time(model.created)},
                    {"path", model.path.string()},
                    {"file_name", model.file_name},
                    {"source", model.source},
                    {"licence", model.licence}});
  }
  return list.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string as_table(const std::vector<StoredModel>& models, Language language) {
  const bool chinese = language == Language::chinese;
  std::vector<std::array<std::string, 4>> rows;
  rows.push_back(chinese ? std::array<std::string, 4>{"名称", "大小", "格式", "添加时间"}
                         : std::array<std::string, 4>{"NAME", "SIZE", "FORMAT", "ADDED"});
  for (const StoredModel& model : models) {
    rows.push_back(
        {model.name.text(), format_bytes(model.bytes), model.format, local_time(model.created)});
  }
  std::array<std::size_t, 3> widths{};
  for (const auto& row : rows) {
    for (std::size_t column = 0; column < widths.size(); ++column) {
      widths[column] = std::max(widths[column], display_width(row[column]));
    }
  }
  std::string out;
  for (const auto& row : rows) {
    for (std::size_t column = 0; column < widths.size(); ++column) {
      const std::string padding(widths[column] - display_width(row[column]), ' ');
      const bool right = column == 1;  // sizes
      out += (right ? padding + row[column] : row[column] + padding) + "  ";
    }
    out += row.back() + "\n";
  }
  return out;
}

Result<int> run_list(Console& console, bool json) {
  PREMISE_TRY(const auto root, Store::default_root(process_environment));
  PREMISE_TRY(Store store, Store::open(root));
  PREMISE_TRY(const auto models, store.list());
  if (json) {
    console.write(as_json(models));
  } else if (models.empty()) {
    console.say(text({"no models in {}; premise pull gemma3:270m-base fetches a small one",
                      "{} 中尚无模型；执行 premise pull gemma3:270m-base 可获取一个小模型"},
                     root.string()));
  } else {
    console.write(as_table(models, console.language()));
  }
  return 0;
}

CommandRun declare_list(CLI::App& app, Language language) {
  const auto json = std::make_shared<bool>(false);
  app.add_flag("--json", *json, text({"print a JSON array", "输出 JSON 数组"}).in(language));
  return [json](Console& console) { return run_list(console, *json); };
}

}  // namespace

extern const Command list_command;
const Command list_command{
    .name = "list",
    .order = 30,
    .summary = {"show the models in the store", "列出模型库中的模型"},
    .examples = {"premise list\npremise list --json", "premise list\npremise list --json"},
    .declare = declare_list};

}  // namespace premise
