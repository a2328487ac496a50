#include "store/resolve.h"

#include <system_error>

#include "base/printable.h"
#include "store/store.h"

namespace premise {
namespace {

namespace fs = std::filesystem;

bool looks_like_path(std::string_view model) {
  if (model.find('/') != std::string_view::npos) return true;
  if (model.starts_with('.') || model.starts_with('~')) return true;
  for (const std::string_view ending : {".gguf", ".safetensors", ".bin", ".pt", ".h5"}) {
    if (model.ends_with(ending)) return true;
  }
  return false;
}

bool is_there(const fs::path& path) {
  std::error_code code;
  return fs::exists(path, code);
}

Error no_such_path(std::string_view model) {
  return error(ErrorCode::usage, {"{}: no such file or folder", "{}：没有这个文件或目录"},
               printable(model))
      .with_hint(
          text({"premise list shows the models in the store", "premise list 列出模型库中的模型"}));
}

Error lost_blob(const StoredModel& model) {
  return error(ErrorCode::bad_input, {"{}: the file of {} is gone", "{}：{} 的文件已丢失"},
               model.path.string(), model.name.text())
      .with_hint(text({"premise pull {} brings it back", "可执行 premise pull {} 恢复"},
                      model.name.text()));
}

}  // namespace

Result<ModelFile> resolve_model(std::string_view model, const Environment& environment) {
  if (model.empty()) return error(ErrorCode::usage, {"MODEL is empty", "MODEL 为空"});
  const fs::path path(model);
  if (looks_like_path(model)) {
    if (is_there(path)) return ModelFile{path, std::nullopt};
    return no_such_path(model);
  }
  const Result<ModelName> name = parse_model_name(model);
  if (!name.ok()) {
    if (is_there(path)) return ModelFile{path, std::nullopt};
    return name.error();
  }
  PREMISE_TRY(const fs::path root, Store::default_root(environment));
  PREMISE_TRY(Store store, Store::open(root));
  PREMISE_TRY(const auto known, store.find(*name));
  if (known) {
    if (is_there(known->path)) return ModelFile{known->path, *name, known->sha256};
    return lost_blob(*known);
  }
  if (is_there(path)) return ModelFile{path, std::nullopt};
  PREMISE_TRY(const auto stored, store.list());
  return unknown_model(model, stored);
}

}  // namespace premise
