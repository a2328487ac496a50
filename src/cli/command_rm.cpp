#include <CLI/CLI.hpp>
#include <memory>

#include "base/units.h"
#include "cli/command.h"
#include "engine/packed_cache/packed_cache.h"
#include "numerics/kernels/contracts/packed_layout.h"
#include "store/store.h"

namespace premise {
namespace {

/// All names are looked at before the first one is removed: a typing mistake removes nothing.
Result<int> run_rm(Console& console, const std::vector<std::string>& typed) {
  PREMISE_TRY(const auto root, Store::default_root(process_environment));
  PREMISE_TRY(Store store, Store::open(root));
  std::vector<ModelName> names;
  for (const std::string& one : typed) {
    PREMISE_TRY(ModelName name, parse_model_name(one));
    PREMISE_TRY(const auto known, store.find(name));
    if (!known) {
      PREMISE_TRY(const auto stored, store.list());
      return unknown_model(one, stored);
    }
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(std::move(name));
    }
  }
  for (const ModelName& name : names) {
    PREMISE_TRY(const std::uint64_t freed, store.remove(name));
    console.say(freed == 0 ? text({"removed {}; its file has another name still",
                                   "已删除 {}；其文件仍被其他名称使用"},
                                  name.text())
                           : text({"removed {}, {} freed", "已删除 {}，释放 {}"}, name.text(),
                                  format_bytes(freed)));
  }
  const PackedSweep swept = sweep_packed(Store::packed_folder(root), packed_layout_version);
  if (swept.files > 0)
    console.say(text({"removed packed weights that no model uses any more, {} freed",
                      "已清除不再有模型使用的重排权重，释放 {}"},
                     format_bytes(swept.bytes)));
  return 0;
}

CommandRun declare_rm(CLI::App& app, Language language) {
  const auto names = std::make_shared<std::vector<std::string>>();
  app.add_option(
         "NAME", *names,
         text({"model to remove; several may be named", "要删除的模型，可列出多个"}).in(language))
      ->required();
  return [names](Console& console) { return run_rm(console, *names); };
}

}  // namespace

extern const Command rm_command;
const Command rm_command{.name = "rm",
                         .order = 40,
                         .summary = {"remove models from the store", "从模型库中删除模型"},
                         .examples = {"premise rm gemma3:270m-base", "premise rm gemma3:270m-base"},
                         .declare = declare_rm};

}  // namespace premise
