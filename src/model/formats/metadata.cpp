#include "model/formats/metadata.h"

#include <cmath>
#include <iterator>
#include <limits>
#include <optional>
#include <type_traits>

#include "model/formats/in_quotes.h"

namespace premise {
namespace {

Text an_unsigned() { return {"an integer of 0 or more", "不小于 0 的整数"}; }

/// A number of any kind as a double, or nothing where the value is no scalar number.
std::optional<double> as_double(const MetadataValue& value) {
  if (const auto* u = std::get_if<std::uint64_t>(&value)) return static_cast<double>(*u);
  if (const auto* i = std::get_if<std::int64_t>(&value)) return static_cast<double>(*i);
  if (const auto* d = std::get_if<double>(&value)) return *d;
  return std::nullopt;
}

}  // namespace

Text kind_of(const MetadataValue& value) {
  static constexpr struct {
    const char* en;
    const char* zh;
  } kinds[] = {
      {"a boolean", "布尔值"},
      {"a signed integer", "有符号整数"},
      {"an unsigned integer", "无符号整数"},
      {"a float", "浮点数"},
      {"a string", "字符串"},
      {"an array of booleans", "布尔值数组"},
      {"an array of signed integers", "有符号整数数组"},
      {"an array of unsigned integers", "无符号整数数组"},
      {"an array of floats", "浮点数数组"},
      {"an array of strings", "字符串数组"},
  };
  static_assert(std::size(kinds) == std::variant_size_v<MetadataValue>);
  return {kinds[value.index()].en, kinds[value.index()].zh};
}

void Metadata::set(std::string key, MetadataValue value, unsigned bits) {
  if (bits != 0)
    bits_[key] = bits;
  else
    bits_.erase(key);
  values_[std::move(key)] = std::move(value);
}

bool Metadata::is_array(std::string_view key) const {
  const auto found = values_.find(key);
  static constexpr std::size_t first_array = 5;
  static_assert(
      std::is_same_v<std::variant_alternative_t<first_array, MetadataValue>, std::vector<bool>>);
  return found != values_.end() && found->second.index() >= first_array;
}

unsigned Metadata::bits(std::string_view key) const {
  const auto found = bits_.find(key);
  return found == bits_.end() ? 0 : found->second;
}

Result<const MetadataValue*> Metadata::require(std::string_view key) const {
  const auto found = values_.find(key);
  if (found != values_.end()) return &found->second;
  return wrong_value(key, {"is missing", "缺失"});
}

Error Metadata::wrong_kind(std::string_view key, const MetadataValue& found,
                           const Text& expected) const {
  const Text kind = kind_of(found);
  return wrong_value(key, {fmt::format("is {}, expected {}", kind.en, expected.en),
                           fmt::format("是{}，应为{}", kind.zh, expected.zh)});
}

Error Metadata::wrong_value(std::string_view key, const Text& problem) const {
  const std::string name = in_quotes(key);
  const bool known = !path_.empty();
  return Error{ErrorCode::bad_input,
               {fmt::format("{}{}metadata key {} {}", path_, known ? ": " : "", name, problem.en),
                fmt::format("{}{}元数据 {} {}", path_, known ? "：" : "", name, problem.zh)}};
}

Result<std::uint64_t> Metadata::u64(std::string_view key) const {
  PREMISE_TRY(const MetadataValue* value, require(key));
  if (const auto* u = std::get_if<std::uint64_t>(value)) return *u;
  if (const auto* i = std::get_if<std::int64_t>(value)) {
    if (*i >= 0) return static_cast<std::uint64_t>(*i);
    return wrong_value(key, {fmt::format("is {}, expected {}", *i, an_unsigned().en),
                             fmt::format("是 {}，应为{}", *i, an_unsigned().zh)});
  }
  return wrong_kind(key, *value, an_unsigned());
}

Result<double> Metadata::number(std::string_view key) const {
  PREMISE_TRY(const MetadataValue* value, require(key));
  const auto number = as_double(*value);
  if (!number) return wrong_kind(key, *value, {"a number", "数"});
  if (!std::isfinite(*number))
    return wrong_value(key,
                       text({"is {}, expected a finite number", "是 {}，应为有限的数"}, *number));
  return *number;
}

Result<bool> Metadata::boolean(std::string_view key) const {
  PREMISE_TRY(const MetadataValue* value, require(key));
  if (const auto* b = std::get_if<bool>(value)) return *b;
  return wrong_kind(key, *value, {"a boolean", "布尔值"});
}

Result<std::string> Metadata::string(std::string_view key) const {
  PREMISE_TRY(const MetadataValue* value, require(key));
  if (const auto* s = std::get_if<std::string>(value)) return *s;
  return wrong_kind(key, *value, {"a string", "字符串"});
}

Result<std::uint64_t> Metadata::u64_or(std::string_view key, std::uint64_t fallback) const {
  return has(key) ? u64(key) : fallback;
}

Result<double> Metadata::number_or(std::string_view key, double fallback) const {
  return has(key) ? number(key) : fallback;
}

Result<bool> Metadata::boolean_or(std::string_view key, bool fallback) const {
  return has(key) ? boolean(key) : fallback;
}

Result<std::string> Metadata::string_or(std::string_view key, std::string fallback) const {
  return has(key) ? string(key) : Result<std::string>(std::move(fallback));
}

Result<std::span<const std::string>> Metadata::strings(std::string_view key) const {
  PREMISE_TRY(const MetadataValue* value, require(key));
  if (const auto* s = std::get_if<std::vector<std::string>>(value))
    return std::span<const std::string>(*s);
  return wrong_kind(key, *value, {"an array of strings", "字符串数组"});
}

Result<std::vector<std::int64_t>> Metadata::integers(std::string_view key) const {
  PREMISE_TRY(const MetadataValue* value, require(key));
  if (const auto* i = std::get_if<std::vector<std::int64_t>>(value)) return *i;
  const auto* u = std::get_if<std::vector<std::uint64_t>>(value);
  if (!u) return wrong_kind(key, *value, {"an array of integers", "整数数组"});
  std::vector<std::int64_t> out;
  out.reserve(u->size());
  for (const std::uint64_t element : *u) {
    if (element > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      return wrong_value(key, text({"holds {} at index {}, beyond a signed 64-bit integer",
                                    "第 {1} 个元素是 {0}，超出 64 位有符号整数"},
                                   element, out.size()));
    out.push_back(static_cast<std::int64_t>(element));
  }
  return out;
}

Result<std::vector<double>> Metadata::numbers(std::string_view key) const {
  PREMISE_TRY(const MetadataValue* value, require(key));
  std::vector<double> out;
  if (const auto* d = std::get_if<std::vector<double>>(value)) {
    for (const double& element : *d)
      if (!std::isfinite(element))
        return wrong_value(key, text({"holds {} at index {}, expected finite numbers",
                                      "第 {1} 个元素是 {0}，应为有限的数"},
                                     element, &element - d->data()));
    out = *d;
  } else if (const auto* i = std::get_if<std::vector<std::int64_t>>(value)) {
    out.assign(i->begin(), i->end());
  } else if (const auto* u = std::get_if<std::vector<std::uint64_t>>(value)) {
    out.assign(u->begin(), u->end());
  } else {
    return wrong_kind(key, *value, {"an array of numbers", "数的数组"});
  }
  return out;
}

Result<std::vector<bool>> Metadata::booleans(std::string_view key) const {
  PREMISE_TRY(const MetadataValue* value, require(key));
  if (const auto* b = std::get_if<std::vector<bool>>(value)) return *b;
  return wrong_kind(key, *value, {"an array of booleans", "布尔值数组"});
}

}  // namespace premise
