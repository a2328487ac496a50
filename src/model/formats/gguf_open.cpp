// Opening GGUF files from disk: maps one file, and the other parts where the model is split.
#include <cstddef>
#include <utility>
#include <vector>

#include "base/mapped_file.h"
#include "model/formats/gguf.h"
#include "model/formats/gguf_source.h"
#include "model/formats/gguf_split.h"

namespace premise {
namespace {

struct OpenPart {
  gguf::Part part;
  GgufContent content;
};

Result<OpenPart> open_part(const std::filesystem::path& path) {
  PREMISE_TRY(MappedFile file, MappedFile::open(path));
  const auto bytes = file.bytes();
  PREMISE_TRY(GgufContent content, parse_gguf(bytes, file.path()));
  std::string name = file.path();
  return OpenPart{{bytes, std::move(file), std::move(name)}, std::move(content)};
}

Error missing_part(const std::filesystem::path& path, std::uint64_t count) {
  return error(ErrorCode::bad_input,
               {"{}: this part of the model is missing ({} parts belong together)",
                "{}：缺少模型的这个分片（共 {} 个分片）"},
               path.string(), count)
      .with_hint(text({"put all parts into one folder", "请把所有分片放在同一目录中"}));
}

/// Opens part `number` and checks that it says the same of the split as the part opened first.
Result<OpenPart> open_sibling(const std::filesystem::path& path, std::uint64_t number,
                              const gguf::SplitKeys& expected) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return missing_part(path, expected.count);
  PREMISE_TRY(OpenPart opened, open_part(path));
  PREMISE_TRY(const auto keys, gguf::split_keys(opened.content.metadata));
  if (!keys || keys->index + 1 != number || keys->count != expected.count ||
      keys->tensors != expected.tensors)
    return error(ErrorCode::bad_input,
                 {"{}: its split.* keys do not say part {} of {} with {} tensors in all",
                  "{}：其 split.* 元数据与“第 {}/{} 个分片、共 {} 个张量”不符"},
                 path.string(), number, expected.count, expected.tensors)
        .with_hint(text({"the parts come from different models; download them again",
                         "各分片来自不同的模型；请重新下载"}));
  return opened;
}

Result<std::unique_ptr<TensorSource>> open_split(const std::filesystem::path& path, OpenPart first,
                                                 const gguf::SplitKeys& keys) {
  PREMISE_TRY(const gguf::SplitName name, gguf::check_split_name(path, keys));
  std::vector<gguf::Part> parts;
  std::vector<GgufContent> contents;
  std::uint64_t tensors = 0;
  for (std::uint64_t number = 1; number <= keys.count; ++number) {
    if (number != name.number) {
      const auto sibling = path.parent_path() / name.file(number);
      PREMISE_TRY(OpenPart opened, open_sibling(sibling, number, keys));
      parts.push_back(std::move(opened.part));
      contents.push_back(std::move(opened.content));
    } else {
      parts.push_back(std::move(first.part));
      contents.push_back(std::move(first.content));
    }
    tensors += contents.back().tensors.size();
  }
  if (tensors != keys.tensors)
    return error(ErrorCode::bad_input,
                 {"{}: the {} parts hold {} tensors, split.tensors.count says {}",
                  "{}：{} 个分片共有 {} 个张量，而 split.tensors.count 为 {}"},
                 path.string(), keys.count, tensors, keys.tensors);
  return gguf::Source::make(std::move(parts), std::move(contents));
}

Result<std::unique_ptr<TensorSource>> single(OpenPart opened) {
  std::vector<gguf::Part> parts;
  std::vector<GgufContent> contents;
  parts.push_back(std::move(opened.part));
  contents.push_back(std::move(opened.content));
  return gguf::Source::make(std::move(parts), std::move(contents));
}

}  // namespace

Result<std::unique_ptr<TensorSource>> open_gguf(const std::filesystem::path& path) {
  PREMISE_TRY(OpenPart opened, open_part(path));
  PREMISE_TRY(const auto keys, gguf::split_keys(opened.content.metadata));
  if (keys) return open_split(path, std::move(opened), *keys);
  if (const auto name = gguf::split_name(path); name && name->count > 1)
    return error(ErrorCode::bad_input,
                 {"{}: its name says part {} of {}, but it has no split.count",
                  "{}：文件名表示第 {}/{} 个分片，但没有 split.count 元数据"},
                 path.string(), name->number, name->count)
        .with_hint(text({"rename it if it is a whole model", "如果它是完整的模型，请改名"}));
  return single(std::move(opened));
}

Result<std::unique_ptr<TensorSource>> open_gguf_bytes(std::span<const std::byte> bytes,
                                                      std::string_view path) {
  PREMISE_TRY(GgufContent content, parse_gguf(bytes, path));
  PREMISE_TRY(const auto keys, gguf::split_keys(content.metadata));
  if (keys)
    return error(ErrorCode::bad_input,
                 {"{}: part {} of {} of a split model can only be opened from a folder",
                  "{}：拆分模型的第 {}/{} 个分片只能从目录中打开"},
                 path, keys->index + 1, keys->count);
  return single({{bytes, std::nullopt, std::string(path)}, std::move(content)});
}

}  // namespace premise
