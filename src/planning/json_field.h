// Fields of JSON documents that somebody else wrote, with errors that name file and field.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/printable.h"
#include "base/result.h"

namespace premise {

/// Parses a document; nothing of the library's exceptions gets out.
inline Result<nlohmann::json> parse_json(std::string_view text, const std::string& path) {
  auto document = nlohmann::json::parse(text.begin(), text.end(), nullptr, false);
  if (document.is_discarded())
    return error(ErrorCode::bad_input, {"{}: not a JSON document", "{}：不是 JSON 文档"},
                 printable(path));
  if (!document.is_object())
    return error(ErrorCode::bad_input, {"{}: not a JSON object", "{}：不是 JSON 对象"},
                 printable(path));
  return document;
}

/// A whole number ≥ 0; the fallback where the field is missing or null, and an Error where there is
/// no fallback either.
inline Result<std::uint64_t> whole_number(const nlohmann::json& object, const char* field,
                                          const std::string& path,
                                          std::optional<std::uint64_t> fallback = std::nullopt) {
  const auto found = object.find(field);
  if (found == object.end() || found->is_null()) {
    if (fallback) return *fallback;
    return error(ErrorCode::bad_input, {"{}: field {} is missing", "{}：缺少字段 {}"},
                 printable(path), field);
  }
  if (!found->is_number_unsigned())
    return error(ErrorCode::bad_input,
                 {"{}: field {} is not a whole number", "{}：字段 {} 不是非负整数"},
                 printable(path), field);
  return found->get<std::uint64_t>();
}

inline Result<bool> flag(const nlohmann::json& object, const char* field, const std::string& path,
                         bool fallback) {
  const auto found = object.find(field);
  if (found == object.end() || found->is_null()) return fallback;
  if (!found->is_boolean())
    return error(ErrorCode::bad_input,
                 {"{}: field {} is neither true nor false", "{}：字段 {} 不是布尔值"},
                 printable(path), field);
  return found->get<bool>();
}

/// A string, or nothing.
inline std::string string_or_empty(const nlohmann::json& object, const char* field) {
  const auto found = object.find(field);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace premise
