// premise cache list | clear: the packed weights that loads keep on disk
// (docs/decisions/0010-cache-of-packed-weights.md). Both also take away what no load will use
// again.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <ctime>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/language.h"
#include "base/printable.h"
#include "base/units.h"
#include "cli/command.h"
#include "cli/table.h"
#include "engine/packed_cache/packed_cache.h"
#include "numerics/kernels/contracts/packed_layout.h"
#include "store/store.h"

namespace premise {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view cache_by_digest = "sha256:";

struct CacheOptions {
  std::vector<std::string> models;
  bool json = false;
};

/// The folder's entries with the names under which people know them.
struct CacheView {
  std::filesystem::path folder;
  PackedSweep swept;
  std::vector<PackedEntry> entries;
  std::multimap<std::string, std::string> names;  // of the store, by digest
};

std::string cache_digest(const PackedEntry& entry) {
  const std::string& key = entry.header.key;
  return key.starts_with(cache_by_digest) ? key.substr(cache_by_digest.size()) : "";
}

std::string cache_origin(const PackedEntry& entry) {
  return entry.header.origins.empty() ? "" : entry.header.origins.front().path;
}

Result<CacheView> look_at_cache() {
  PREMISE_TRY(const auto root, Store::default_root(process_environment));
  CacheView view;
  view.folder = Store::packed_folder(root);
  view.swept = sweep_packed(view.folder, packed_layout_version);
  PREMISE_TRY(view.entries, list_packed(view.folder, packed_layout_version));
  std::error_code code;
  if (view.entries.empty() || !std::filesystem::exists(root, code)) return view;
  PREMISE_TRY(Store store, Store::open(root));
  PREMISE_TRY(const auto models, store.list());
  for (const StoredModel& model : models) view.names.emplace(model.sha256, model.name.text());
  return view;
}

/// Its names in the store, else the path of its file.
std::string cache_model(const CacheView& view, const PackedEntry& entry) {
  std::string names;
  const auto [first, last] = view.names.equal_range(cache_digest(entry));
  for (auto at = first; at != last; ++at) names += (names.empty() ? "" : ", ") + at->second;
  return names.empty() ? cache_origin(entry) : names;
}

std::string cache_time(std::int64_t seconds, bool utc) {
  const std::time_t time = seconds;
  std::tm parts{};
  if ((utc ? gmtime_r(&time, &parts) : localtime_r(&time, &parts)) == nullptr) return "?";
  char shown[40] = "";
  std::strftime(shown, sizeof shown, utc ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%d %H:%M", &parts);
  return shown;
}

std::string cache_document(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json entry_as_json(const CacheView& view, const PackedEntry& entry) {
  const std::string digest = cache_digest(entry);
  return {{"model", cache_model(view, entry)},
          {"bytes", entry.bytes},
          {"isa", entry.header.isa},
          {"layout", entry.header.layout_version},
          {"last_use", cache_time(entry.last_use, true)},
          {"sha256", digest.empty() ? Json() : Json(digest)},
          {"source", cache_origin(entry)},
          {"program", entry.header.program},
          {"path", entry.path.string()}};
}

std::string cache_table(const CacheView& view, Language language) {
  const auto say = [language](Phrase<> phrase) { return text(phrase).in(language); };
  std::vector<std::vector<std::string>> rows{{say({"MODEL", "模型"}), say({"SIZE", "大小"}),
                                              say({"INSTRUCTION SET", "指令集"}),
                                              say({"LAST USE", "最近使用"})}};
  for (const PackedEntry& entry : view.entries)
    rows.push_back({printable(cache_model(view, entry)), format_bytes(entry.bytes),
                    entry.header.isa == "any" ? say({"any", "任意"}) : printable(entry.header.isa),
                    cache_time(entry.last_use, false)});
  return aligned_table(rows, "lrll");
}

void say_swept(Console& console, const PackedSweep& swept) {
  if (swept.files == 0) return;
  console.say(text({"removed {} that no model uses any more, {} freed",
                    "已清除 {} 个不再有模型使用的文件，释放 {}"},
                   swept.files, format_bytes(swept.bytes)));
}

Result<int> list_cache(Console& console, const CacheOptions& options) {
  PREMISE_TRY(const CacheView view, look_at_cache());
  std::uint64_t bytes = 0;
  for (const PackedEntry& entry : view.entries) bytes += entry.bytes;
  if (options.json) {
    Json entries = Json::array();
    for (const PackedEntry& entry : view.entries) entries.push_back(entry_as_json(view, entry));
    console.write(cache_document({{"folder", view.folder.string()},
                                  {"bytes", bytes},
                                  {"entries", std::move(entries)},
                                  {"removed", view.swept.files},
                                  {"freed_bytes", view.swept.bytes}}));
    return 0;
  }
  say_swept(console, view.swept);
  if (view.entries.empty()) {
    console.say(text({"no packed weights in {}; the first load of a model leaves them there",
                      "{} 中没有重排权重；模型首次加载时会写入"},
                     view.folder.string()));
  } else {
    console.write(cache_table(view, console.language()));
    console.say(text({"{} in {}", "共 {}，位于 {}"}, format_bytes(bytes), view.folder.string()));
  }
  return 0;
}

/// Whether a user may mean this entry by `typed`: a name of the store, or a path.
bool is_meant(const CacheView& view, const PackedEntry& entry, const std::string& typed) {
  const auto [first, last] = view.names.equal_range(cache_digest(entry));
  const auto name = parse_model_name(typed);
  const std::string full = name.ok() ? name->text() : typed;
  if (std::any_of(first, last, [&](const auto& named) { return named.second == full; }))
    return true;
  std::error_code code;
  const auto path = std::filesystem::absolute(typed, code).lexically_normal().string();
  return std::ranges::any_of(entry.header.origins, [&](const PackedOrigin& origin) {
    return std::filesystem::path(origin.path).lexically_normal() == path;
  });
}

/// All models are looked for before the first entry is removed: a typing mistake removes nothing.
Result<std::vector<PackedEntry>> entries_meant(const CacheView& view,
                                               const std::vector<std::string>& models) {
  if (models.empty()) return view.entries;
  std::vector<PackedEntry> meant;
  for (const std::string& typed : models) {
    const std::size_t before = meant.size();
    for (const PackedEntry& entry : view.entries)
      if (is_meant(view, entry, typed)) meant.push_back(entry);
    if (meant.size() == before)
      return error(ErrorCode::no,
                   {"no packed weights of {} are cached", "缓存中没有 {} 的重排权重"},
                   printable(typed))
          .with_hint(text({"premise cache list shows them", "premise cache list 可列出全部"}));
  }
  return meant;
}

Result<int> clear_cache(Console& console, const CacheOptions& options) {
  PREMISE_TRY(const CacheView view, look_at_cache());
  PREMISE_TRY(const auto meant, entries_meant(view, options.models));
  std::uint64_t freed = view.swept.bytes;
  std::size_t removed = view.swept.files;
  for (const PackedEntry& entry : meant) {
    PREMISE_CHECK(remove_packed(entry));
    freed += entry.bytes;
    ++removed;
  }
  if (options.json)
    console.write(cache_document({{"removed", removed}, {"freed_bytes", freed}}));
  else
    console.say(
        text({"removed {}, {} freed", "已删除 {} 个，释放 {}"}, removed, format_bytes(freed)));
  return 0;
}

CommandRun declare_cache(CLI::App& app, Language language) {
  const auto options = std::make_shared<CacheOptions>();
  const auto say = [language](Phrase<> phrase) { return text(phrase).in(language); };
  app.require_subcommand(1);
  CLI::App* list = app.add_subcommand("list", say({"show what is kept", "列出缓存内容"}));
  CLI::App* clear = app.add_subcommand(
      "clear", say({"remove it; the next load packs again", "清除；下次加载时重新重排"}));
  clear->add_option("MODEL", options->models,
                    say({"of these models only: names in the store, or paths",
                         "仅限这些模型：模型库中的名称，或文件路径"}));
  for (CLI::App* sub : {list, clear})
    sub->add_flag("--json", options->json, say({"print a JSON document", "输出 JSON"}));
  return [options, list](Console& console) {
    return list->parsed() ? list_cache(console, *options) : clear_cache(console, *options);
  };
}

}  // namespace

extern const Command cache_command;
const Command cache_command{
    .name = "cache",
    .order = 42,
    .summary = {"packed weights kept on disk for quick starts: list, clear",
                "管理为快速启动而保存的重排权重：列出、清除"},
    .examples = {"premise cache list\npremise cache clear gemma3:270m-base",
                 "premise cache list\npremise cache clear gemma3:270m-base"},
    .declare = declare_cache};

}  // namespace premise
