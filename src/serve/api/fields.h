// JSON in: a body under limits, and an object read field by field, every field named.
//
// A dialect reads its fields one after the other and asks for failure() once at the end; the first
// failure is kept. What was not asked for is unknown, and refused by name: a misspelt "temprature"
// that were ignored would change answers silently. Only dialects include this (nlohmann/json.hpp
// is slow to compile).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/api/api_call.h"

namespace premise {

struct JsonLimits {
  int depth = 64;                  // objects and lists within each other
  std::size_t values = 1'000'000;  // in all
};

/// The body's object. Refused: another content type than JSON (415: a browser sends others without
/// asking whether it may), what is no JSON, no object, too deep, too large, or has a name twice.
OrApiError<nlohmann::json> parse_body(const ApiCall& call, const JsonLimits& limits = {});

class Fields {
 public:
  /// `path` is put before the names of fields: "messages[0].". The object outlives this.
  Fields(const nlohmann::json& object, std::string path, std::optional<ApiError>& failure)
      : object_(object), path_(std::move(path)), failure_(failure) {}

  /// The value, unless it is absent or null.
  const nlohmann::json* find(std::string_view name);
  bool has(std::string_view name) { return find(name) != nullptr; }

  std::optional<double> number(std::string_view name, double least, double most);
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t least,
                                      std::int64_t most = INT64_MAX);
  std::optional<bool> boolean(std::string_view name);
  const std::string* string(std::string_view name);
  const nlohmann::json* list(std::string_view name);
  const nlohmann::json* object(std::string_view name);

  /// Fields that are taken and change nothing (docs/api.md says why).
  void ignore(std::initializer_list<std::string_view> names);
  /// A field of the dialect that Premise does not offer (yet): refused unless absent or null.
  void refuse(std::string_view name, const Text& why);

  void fail(std::string_view name, Text what, std::string code = "invalid_value");
  void missing(std::string_view name);
  /// Refuses what was not asked for.
  void finish();

  std::string path_of(std::string_view name) const { return path_ + std::string(name); }
  std::optional<ApiError>& failure() { return failure_; }

 private:
  void wrong_type(std::string_view name, const Text& expected);

  const nlohmann::json& object_;
  std::string path_;
  std::optional<ApiError>& failure_;
  std::vector<std::string> known_;
};

}  // namespace premise
