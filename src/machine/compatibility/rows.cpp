#include "machine/compatibility/rows.h"

namespace premise {

using Json = nlohmann::json;

void RowReader::wrong(const std::string& place, const char* field) {
  if (error_) return;
  error_ = error(ErrorCode::bad_input,
                 {"{}: {} {}: missing or of the wrong type", "{}：{} {}：缺失或类型不对"}, file_,
                 place, field);
}

const Json& RowReader::field(const char* name) const {
  static const Json nothing;
  const auto found = row_->find(name);
  return found == row_->end() ? nothing : *found;
}

std::string RowReader::text(const char* name) {
  const Json& json = field(name);
  if (json.is_string() && !json.get_ref<const std::string&>().empty()) return json;
  wrong(place_, name);
  return {};
}

double RowReader::number(const char* name) {
  const Json& json = field(name);
  if (json.is_number() && json.get<double>() >= 0) return json;
  wrong(place_, name);
  return 0;
}

std::int64_t RowReader::whole(const char* name) {
  const Json& json = field(name);
  if (json.is_number_unsigned() && json < 1'000'000) return json;
  wrong(place_, name);
  return 0;
}

bool RowReader::flag(const char* name) {
  const Json& json = field(name);
  if (json.is_boolean()) return json;
  wrong(place_, name);
  return false;
}

Version RowReader::version(const char* name) {
  if (const std::optional<Version> version = parse_version(text(name))) return *version;
  wrong(place_, name);
  return {};
}

std::vector<Version> RowReader::versions(const char* name) {
  std::vector<Version> list;
  const Json& json = field(name);
  for (const Json& one : json.is_array() ? json : Json::array()) {
    const std::optional<Version> version =
        one.is_string() ? parse_version(one.get_ref<const std::string&>()) : std::nullopt;
    if (!version) wrong(place_, name);
    list.push_back(version.value_or(Version{}));
  }
  if (list.empty()) wrong(place_, name);
  return list;
}

Result<DataFile> parse_data_file(const std::string& name, std::string_view text) {
  DataFile file;
  file.document = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto is = [&](const char* field, auto type) {
    return file.document.is_object() && file.document.contains(field) &&
           file.document[field].type() == type;
  };
  if (!is("format", Json::value_t::number_unsigned) || file.document["format"] != 1 ||
      !is("date", Json::value_t::string) || !is("sources", Json::value_t::object)) {
    return error(ErrorCode::bad_input,
                 {"{}: not a data file of format 1 with a date and sources",
                  "{}：不是带有日期与来源的格式 1 数据文件"},
                 name);
  }
  file.date = file.document["date"];
  for (const auto& [key, where] : file.document["sources"].items()) {
    if (!where.is_string()) {
      return error(ErrorCode::bad_input, {"{}: source {}: not a text", "{}：来源 {}：不是文本"},
                   name, key);
    }
    file.sources.emplace_back(key, where);
  }
  return file;
}

}  // namespace premise
