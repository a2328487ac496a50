#include "model/formats/model_file.h"

#include <algorithm>
#include <string>
#include <system_error>
#include <vector>

#include "base/mapped_file.h"
#include "model/formats/file_kind.h"
#include "model/formats/gguf.h"
#include "model/formats/gguf_split.h"

namespace premise {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t head_bytes = 512;

/// GGUF files right below `folder`, sorted; of a split model only the first part that is there.
Result<std::vector<fs::path>> models_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code failure;
  for (fs::directory_iterator it(folder, failure), end; !failure && it != end;
       it.increment(failure))
    if (it->path().extension() == ".gguf") files.push_back(it->path());
  if (failure)
    return error(ErrorCode::bad_input,
                 {"{}: the folder cannot be read: {}", "{}：无法读取目录：{}"}, folder.string(),
                 failure.message());
  std::ranges::sort(files);
  const auto same_model = [](const fs::path& a, const fs::path& b) {
    const auto first = gguf::split_name(a);
    const auto second = gguf::split_name(b);
    return first && second && first->prefix == second->prefix && first->count == second->count;
  };
  files.erase(std::unique(files.begin(), files.end(), same_model), files.end());
  return files;
}

Result<fs::path> only_model_in(const fs::path& folder) {
  PREMISE_TRY(const auto models, models_in(folder));
  if (models.size() == 1) return models.front();
  if (models.empty())
    return error(ErrorCode::bad_input,
                 {"{}: no GGUF file in this folder", "{}：目录中没有 GGUF 文件"}, folder.string());
  return error(ErrorCode::bad_input, {"{}: {} models in this folder", "{}：目录中有 {} 个模型"},
               folder.string(), models.size())
      .with_hint(text({"name one of them, for example {}", "请指定其中之一，例如 {}"},
                      models.front().string()));
}

Error not_a_model(const std::string& path, FileKind kind) {
  const FileKindText text = describe(kind);
  return Error{ErrorCode::bad_input,
               {fmt::format("{}: is no model file, it looks like {}", path, text.name.en),
                fmt::format("{}：不是模型文件，看起来是{}", path, text.name.zh)},
               text.hint};
}

}  // namespace

Result<std::unique_ptr<TensorSource>> open_model_file(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    PREMISE_TRY(const fs::path only, only_model_in(path));
    return open_model_file(only);
  }
  FileKind kind = FileKind::unknown;
  {
    PREMISE_TRY(const MappedFile file, MappedFile::open(path));
    const auto bytes = file.bytes();
    kind = file_kind(bytes.first(std::min(bytes.size(), head_bytes)), bytes.size());
  }
  if (kind != FileKind::gguf) return not_a_model(path.string(), kind);
  return open_gguf(path);
}

}  // namespace premise
