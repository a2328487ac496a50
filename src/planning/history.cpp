#include "planning/history.h"

#include <cmath>
#include <system_error>

#include "base/atomic_file.h"
#include "base/mapped_file.h"
#include "planning/json_field.h"

namespace premise {
namespace {

namespace fs = std::filesystem;
using OrderedJson = nlohmann::ordered_json;

constexpr std::uint64_t file_bytes_max = 1'000'000;

double number_of(const nlohmann::json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end() || !found->is_number()) return 0;
  const double value = found->get<double>();
  return std::isfinite(value) && value >= 0 ? value : 0;
}

Compared compared_of(const nlohmann::json& record, const char* field) {
  const auto found = record.find(field);
  if (found == record.end() || !found->is_object()) return {};
  return {number_of(*found, "predicted"), number_of(*found, "measured")};
}

PredictionRecord record_of(const nlohmann::json& entry) {
  PredictionRecord record;
  record.time = static_cast<std::int64_t>(std::min(number_of(entry, "time"), 9e15));
  record.model = string_or_empty(entry, "model");
  record.type = string_or_empty(entry, "type");
  record.isa = string_or_empty(entry, "isa");
  record.threads = static_cast<std::uint64_t>(std::min(number_of(entry, "threads"), 9e15));
  record.memory_bytes = compared_of(entry, "memory_bytes");
  record.prefill_tokens_per_second = compared_of(entry, "prefill_tokens_per_second");
  record.decode_tokens_per_second = compared_of(entry, "decode_tokens_per_second");
  return record;
}

OrderedJson json_of(const Compared& compared) {
  return {{"predicted", compared.predicted}, {"measured", compared.measured}};
}

OrderedJson json_of(const PredictionRecord& record) {
  return {{"time", record.time},
          {"model", record.model},
          {"type", record.type},
          {"isa", record.isa},
          {"threads", record.threads},
          {"memory_bytes", json_of(record.memory_bytes)},
          {"prefill_tokens_per_second", json_of(record.prefill_tokens_per_second)},
          {"decode_tokens_per_second", json_of(record.decode_tokens_per_second)}};
}

}  // namespace

fs::path history_path(const fs::path& store_root) { return store_root / "predictions.json"; }

Result<std::vector<PredictionRecord>> read_history(const fs::path& path) {
  std::error_code failure;
  if (!fs::exists(path, failure)) return std::vector<PredictionRecord>{};
  PREMISE_TRY(const MappedFile file, MappedFile::open(path));
  const auto bytes = file.bytes();
  const Text hint =
      text({"delete the file; benchmarks write it anew", "请删除该文件，基准测试会重新生成"});
  if (bytes.size() > file_bytes_max)
    return error(ErrorCode::bad_input,
                 {"{}: too large for a list of predictions", "{}：文件过大，不是预测记录"},
                 printable(path.string()))
        .with_hint(hint);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  auto document = parse_json(text, path.string());
  if (!document) return std::move(document).error().with_hint(hint);
  const auto entries = document->find("records");
  if (entries == document->end() || !entries->is_array())
    return error(ErrorCode::bad_input, {"{}: field records is missing", "{}：缺少字段 records"},
                 printable(path.string()))
        .with_hint(hint);
  std::vector<PredictionRecord> records;
  for (const auto& entry : *entries)
    if (entry.is_object()) records.push_back(record_of(entry));
  return records;
}

Status append_history(const fs::path& path, const PredictionRecord& record) {
  PREMISE_TRY(std::vector<PredictionRecord> records, read_history(path));
  records.push_back(record);
  if (records.size() > history_records_max)
    records.erase(records.begin(), records.end() - history_records_max);
  OrderedJson entries = OrderedJson::array();
  for (const PredictionRecord& entry : records) entries.push_back(json_of(entry));
  const OrderedJson document = {{"version", 1}, {"records", std::move(entries)}};
  std::error_code failure;
  fs::create_directories(path.parent_path(), failure);
  if (failure)
    return error(ErrorCode::usage,
                 {"{}: the folder cannot be made: {}", "{}：无法创建目录：{}"},
                 printable(path.parent_path().string()), failure.message());
  return replace_file(path,
                      document.dump(1, ' ', false, OrderedJson::error_handler_t::replace) + "\n");
}

}  // namespace premise
