#include "planning/safetensors_header.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <vector>

#include "base/mapped_file.h"
#include "planning/json_field.h"

namespace premise {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::uint64_t length_bytes = 8;
// As a document in memory a header takes some fifteen times its bytes.
constexpr std::uint64_t header_bytes_max = 32'000'000;
constexpr std::uint64_t index_bytes_max = 32'000'000;

struct Extent {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::string name;
};

std::uint64_t element_bytes(const std::string& type) {
  static const std::map<std::string, std::uint64_t> sizes = {
      {"F64", 8},  {"I64", 8},     {"U64", 8},     {"F32", 4},    {"I32", 4}, {"U32", 4},
      {"F16", 2},  {"BF16", 2},    {"I16", 2},     {"U16", 2},    {"I8", 1},  {"U8", 1},
      {"BOOL", 1}, {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"F8_E8M0", 1}};
  const auto found = sizes.find(type);
  return found == sizes.end() ? 0 : found->second;
}

Error bad_tensor(const fs::path& path, const std::string& name, Error problem) {
  return at(text({"{}: tensor {}", "{}：张量 {}"}, printable(path.string()), printable(name)),
            std::move(problem));
}

Result<std::uint64_t> element_count(const Json& shape) {
  std::uint64_t count = 1;
  for (const Json& dim : shape)
    if (!dim.is_number_unsigned() ||
        __builtin_mul_overflow(count, dim.get<std::uint64_t>(), &count))
      return error(ErrorCode::bad_input, {"its shape is no list of sizes", "形状无效"});
  return count;
}

// One entry of the header, checked against the bytes that follow it.
Result<Extent> read_tensor(const std::string& name, const Json& entry, std::uint64_t data_bytes,
                           SafetensorsSummary& summary) {
  const Error malformed = error(ErrorCode::bad_input, {"malformed entry", "条目格式错误"});
  if (!entry.is_object()) return malformed;
  const std::string type = string_or_empty(entry, "dtype");
  const auto shape = entry.find("shape");
  const auto offsets = entry.find("data_offsets");
  if (shape == entry.end() || !shape->is_array() || offsets == entry.end() ||
      !offsets->is_array() || offsets->size() != 2 || !(*offsets)[0].is_number_unsigned() ||
      !(*offsets)[1].is_number_unsigned())
    return malformed;
  const std::uint64_t size = element_bytes(type);
  if (size == 0)
    return error(ErrorCode::bad_input, {"unknown type \"{}\"", "未知类型“{}”"}, printable(type));
  PREMISE_TRY(const std::uint64_t elements, element_count(*shape));
  const auto begin = (*offsets)[0].get<std::uint64_t>();
  const auto end = (*offsets)[1].get<std::uint64_t>();
  if (begin > end || end > data_bytes)
    return error(ErrorCode::bad_input,
                 {"its bytes {} to {} lie outside the {} that the file holds",
                  "数据位于 {} 至 {}，超出文件中的 {} 字节"},
                 begin, end, data_bytes);
  std::uint64_t bytes = 0;
  if (__builtin_mul_overflow(elements, size, &bytes) || bytes != end - begin)
    return error(ErrorCode::bad_input,
                 {"{} elements of {} do not take {} bytes", "{} 个 {} 元素不应占 {} 字节"},
                 elements, type, end - begin);
  ++summary.tensors;
  summary.parameters += elements;
  summary.bytes += bytes;
  summary.bytes_of_type[type] += bytes;
  return Extent{begin, end, name};
}

Status check_overlaps(std::vector<Extent> extents, const fs::path& path) {
  std::ranges::sort(extents, {}, &Extent::begin);
  for (std::size_t i = 1; i < extents.size(); ++i)
    if (extents[i].begin < extents[i - 1].end && extents[i].end > extents[i].begin)
      return bad_tensor(
          path, extents[i].name,
          error(ErrorCode::bad_input, {"it lies on top of tensor {}", "与张量 {} 重叠"},
                printable(extents[i - 1].name)));
  return {};
}

Result<std::vector<fs::path>> files_of(const fs::path& folder) {
  const fs::path index = folder / "model.safetensors.index.json";
  std::error_code failure;
  std::set<fs::path> files;
  if (fs::exists(index, failure)) {
    PREMISE_TRY(const MappedFile file, MappedFile::open(index));
    if (file.bytes().size() > index_bytes_max)
      return error(ErrorCode::bad_input, {"{}: too large for an index", "{}：索引文件过大"},
                   printable(index.string()));
    const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()),
                                file.bytes().size());
    PREMISE_TRY(const Json document, parse_json(text, index.string()));
    const auto map = document.find("weight_map");
    if (map == document.end() || !map->is_object())
      return error(ErrorCode::bad_input,
                   {"{}: field weight_map is missing", "{}：缺少字段 weight_map"},
                   printable(index.string()));
    for (const Json& name : *map) {
      // A name with folders in it could lead anywhere on this machine.
      const fs::path file_name = name.is_string() ? name.get<std::string>() : "";
      if (file_name.empty() || file_name != file_name.filename())
        return error(
            ErrorCode::bad_input,
            {"{}: weight_map names no file of this folder", "{}：weight_map 中的文件名无效"},
            printable(index.string()));
      files.insert(folder / file_name);
    }
  } else {
    for (const auto& entry : fs::directory_iterator(folder, failure))
      if (entry.path().extension() == ".safetensors") files.insert(entry.path());
  }
  return std::vector<fs::path>(files.begin(), files.end());
}

}  // namespace

void SafetensorsSummary::add(const SafetensorsSummary& other) {
  tensors += other.tensors;
  parameters += other.parameters;
  bytes += other.bytes;
  files += other.files;
  for (const auto& [type, count] : other.bytes_of_type) bytes_of_type[type] += count;
}

Result<SafetensorsSummary> parse_safetensors(std::span<const std::byte> bytes,
                                             const fs::path& path) {
  std::uint64_t length = 0;
  if (bytes.size() >= length_bytes) std::memcpy(&length, bytes.data(), length_bytes);
  if (bytes.size() < length_bytes || length > header_bytes_max ||
      length > bytes.size() - length_bytes)
    return error(ErrorCode::bad_input,
                 {"{}: its header of {} bytes is cut off or too large; the file has {}",
                  "{}：文件头声明 {} 字节，已截断或过大；文件共 {} 字节"},
                 printable(path.string()), length, bytes.size())
        .with_hint(text({"download the file again", "请重新下载该文件"}));
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + length_bytes, length);
  PREMISE_TRY(const Json header, parse_json(text, path.string()));
  const std::uint64_t data_bytes = bytes.size() - length_bytes - length;
  SafetensorsSummary summary;
  summary.files = 1;
  std::vector<Extent> extents;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    auto extent = read_tensor(name, entry, data_bytes, summary);
    if (!extent) return bad_tensor(path, name, std::move(extent).error());
    extents.push_back(std::move(extent).value());
  }
  PREMISE_CHECK(check_overlaps(std::move(extents), path));
  return summary;
}

Result<SafetensorsSummary> read_safetensors(const fs::path& path) {
  PREMISE_TRY(const MappedFile file, MappedFile::open(path));
  return parse_safetensors(file.bytes(), path);
}

Result<SafetensorsSummary> read_safetensors_folder(const fs::path& folder) {
  PREMISE_TRY(const std::vector<fs::path> files, files_of(folder));
  SafetensorsSummary all;
  for (const fs::path& path : files) {
    PREMISE_TRY(const SafetensorsSummary one, read_safetensors(path));
    all.add(one);
  }
  return all;
}

}  // namespace premise
