#include "model/formats/gguf_split.h"

#include <charconv>
#include <string_view>

#include "model/formats/gguf_types.h"

namespace premise::gguf {
namespace {

constexpr std::size_t digits = 5;
constexpr std::string_view between = "-of-";
constexpr std::string_view extension = ".gguf";

std::optional<std::uint64_t> five_digits(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string SplitName::file(std::uint64_t other_number) const {
  return fmt::format("{}-{:05}-of-{:05}.gguf", prefix, other_number, count);
}

std::optional<SplitName> split_name(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  std::string_view rest = name;
  const std::size_t tail = 1 + digits + between.size() + digits + extension.size();
  if (rest.size() < tail || !rest.ends_with(extension)) return std::nullopt;
  const std::string_view prefix = rest.substr(0, rest.size() - tail);
  rest.remove_prefix(prefix.size());
  if (rest[0] != '-' || rest.substr(1 + digits, between.size()) != between) return std::nullopt;
  const auto number = five_digits(rest.substr(1, digits));
  const auto count = five_digits(rest.substr(1 + digits + between.size(), digits));
  if (!number || !count || *number == 0 || *number > *count) return std::nullopt;
  return SplitName{std::string(prefix), *number, *count};
}

Result<std::optional<SplitKeys>> split_keys(const Metadata& metadata) {
  PREMISE_TRY(const auto count, metadata.u64_or(split_count_key, 0));
  if (count <= 1) return std::optional<SplitKeys>();
  SplitKeys keys;
  keys.count = count;
  PREMISE_TRY(keys.index, metadata.u64(split_no_key));
  PREMISE_TRY(keys.tensors, metadata.u64(split_tensors_key));
  if (keys.index < count) return std::optional<SplitKeys>(keys);
  return error(ErrorCode::bad_input,
               {"{}: metadata key \"{}\" is {}, but the model has {} parts",
                "{}：元数据 \"{}\" 是 {}，但模型只有 {} 个分片"},
               metadata.path(), split_no_key, keys.index, count);
}

Result<SplitName> check_split_name(const std::filesystem::path& path, const SplitKeys& keys) {
  const auto name = split_name(path);
  if (name && name->number == keys.index + 1 && name->count == keys.count) return *name;
  return error(ErrorCode::bad_input,
               {"{}: this is part {} of {} of a split model, but its name does not say so",
                "{}：这是拆分模型的第 {}/{} 个分片，但文件名与此不符"},
               path.string(), keys.index + 1, keys.count)
      .with_hint(text({"name the parts as they were published: NAME-{:05}-of-{:05}.gguf",
                       "请使用发布时的文件名：NAME-{:05}-of-{:05}.gguf"},
                      keys.index + 1, keys.count));
}

}  // namespace premise::gguf
