#include "model/formats/gguf_source.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <numeric>
#include <utility>

#include "model/formats/in_quotes.h"

namespace premise::gguf {

Result<std::unique_ptr<TensorSource>> Source::make(std::vector<Part> parts,
                                                   std::vector<GgufContent> contents) {
  assert(!parts.empty() && parts.size() == contents.size());
  std::unique_ptr<Source> source(new Source);
  source->version_ = contents.front().version;
  source->metadata_ = std::move(contents.front().metadata);
  for (std::size_t part = 0; part < parts.size(); ++part) {
    GgufContent& content = contents[part];
    for (std::size_t i = 0; i < content.tensors.size(); ++i)
      source->bytes_.push_back(
          parts[part].bytes.subspan(content.offsets[i], content.tensors[i].bytes));
    std::ranges::move(content.tensors, std::back_inserter(source->tensors_));
    // Vocabulary and infos are copied now: their pages are not needed any more.
    if (parts[part].file)
      parts[part].file->release(
          parts[part].bytes.first(std::min(content.data_offset, parts[part].bytes.size())));
  }
  source->parts_ = std::move(parts);
  PREMISE_CHECK(source->index_names());
  return std::unique_ptr<TensorSource>(std::move(source));
}

Status Source::index_names() {
  by_name_.resize(tensors_.size());
  std::iota(by_name_.begin(), by_name_.end(), 0u);
  const auto name = [&](std::uint32_t i) -> std::string_view { return tensors_[i].name; };
  std::ranges::sort(by_name_, {}, name);
  const auto twice = std::ranges::adjacent_find(by_name_, {}, name);
  if (twice == by_name_.end()) return {};
  return error(ErrorCode::bad_input,
               {"{}: tensor {} is in two parts of the model", "{}：张量 {} 出现在模型的两个分片中"},
               path(), in_quotes(name(*twice)));
}

std::optional<std::size_t> Source::find(std::string_view name) const {
  const auto name_of = [&](std::uint32_t i) -> std::string_view { return tensors_[i].name; };
  const auto found = std::ranges::lower_bound(by_name_, name, {}, name_of);
  if (found == by_name_.end() || name_of(*found) != name) return std::nullopt;
  return *found;
}

TensorView Source::view(std::size_t index) const {
  assert(index < tensors_.size());
  return {tensors_[index].dtype, tensors_[index].shape, bytes_[index]};
}

void Source::release(std::span<const std::byte> bytes) const {
  for (const Part& part : parts_) {
    const std::byte* begin = part.bytes.data();
    if (bytes.data() < begin || bytes.data() >= begin + part.bytes.size()) continue;
    if (part.file) part.file->release(bytes);
    return;
  }
}

SourceOrigin Source::origin() const {
  SourceOrigin origin{"gguf", version_, {}};
  for (const Part& part : parts_)
    origin.files.push_back(
        {part.path, part.bytes.size(), part.file ? part.file->identity() : FileIdentity{}});
  return origin;
}

Status Source::check_unchanged() const {
  for (const Part& part : parts_)
    if (part.file) PREMISE_CHECK(part.file->check_unchanged());
  return {};
}

}  // namespace premise::gguf
