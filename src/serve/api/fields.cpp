#include "serve/api/fields.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/nearest.h"
#include "base/printable.h"

namespace premise {
namespace {

using nlohmann::json;

constexpr std::size_t shown_name_bytes = 64;  // of a name that is said back

std::string shown(std::string_view name) {
  if (name.size() <= shown_name_bytes) return printable(name);
  return printable(name.substr(0, shown_name_bytes)) + "…";
}

ApiError bad_json(Text what) { return {400, std::move(what), "invalid_json"}; }

// Stops the parser from inside its callback; caught in parse_body.
struct JsonRefused {
  Text why;
};

/// Counts what the parser meets.
class JsonGuard {
 public:
  explicit JsonGuard(const JsonLimits& limits) : limits_(limits) {}

  bool operator()(int /*depth*/, json::parse_event_t event, json& parsed) {
    using Event = json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) {
      names_.emplace_back();
      if (names_.size() > static_cast<std::size_t>(limits_.depth))
        throw JsonRefused{text({"the body is nested deeper than {} levels", "请求体嵌套超过 {} 层"},
                               limits_.depth)};
    }
    if (event == Event::object_end || event == Event::array_end) names_.pop_back();
    if (event == Event::key) {
      const auto& name = parsed.get_ref<const std::string&>();
      if (!names_.back().insert(name).second)
        throw JsonRefused{text(
            {"the body has the name '{}' twice in one object", "请求体的同一对象中“{}”出现了两次"},
            shown(name))};
    }
    if (++values_ > limits_.values)
      throw JsonRefused{
          text({"the body has more than {} values", "请求体中的值超过 {} 个"}, limits_.values)};
    return true;
  }

 private:
  JsonLimits limits_;
  std::vector<std::set<std::string, std::less<>>> names_;
  std::size_t values_ = 0;
};

bool is_json(std::string_view content_type) {
  std::string type(content_type.substr(0, content_type.find(';')));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.pop_back();
  std::ranges::transform(type, type.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 32) : c;
  });
  return type == "application/json" ||
         (type.starts_with("application/") && type.ends_with("+json"));
}

}  // namespace

OrApiError<json> parse_body(const ApiCall& call, const JsonLimits& limits) {
  if (!is_json(call.content_type))
    return ApiError{415,
                    text({"the body must be JSON; send Content-Type: application/json",
                          "请求体必须是 JSON；请发送 Content-Type: application/json"}),
                    "unsupported_media_type"};
  try {
    JsonGuard guard(limits);
    json body = json::parse(call.body, std::ref(guard));
    if (!body.is_object())
      return bad_json(text({"the body is JSON, but not an object", "请求体是 JSON，但不是对象"}));
    return body;
  } catch (const JsonRefused& refused) {
    return bad_json(refused.why);
  } catch (const json::parse_error& broken) {
    return bad_json(text({"the body is not JSON: it breaks off or goes wrong at byte {} of {}",
                          "请求体不是合法的 JSON：在第 {} 字节（共 {}）处中断或出错"},
                         broken.byte, call.body.size()));
  } catch (const json::exception&) {  // a number beyond all numbers
    return bad_json(text({"the body has a number that is too large", "请求体中有过大的数字"}));
  }
}

const json* Fields::find(std::string_view name) {
  known_.emplace_back(name);
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

void Fields::fail(std::string_view name, Text what, std::string code) {
  if (!failure_) failure_ = ApiError{400, std::move(what), std::move(code), path_of(name)};
}

void Fields::wrong_type(std::string_view name, const Text& expected) {
  fail(name,
       Text{fmt::format("'{}' must be {}", path_of(name), expected.en),
            fmt::format("“{}”必须是{}", path_of(name), expected.zh)},
       "invalid_type");
}

void Fields::missing(std::string_view name) {
  fail(name, text({"'{}' is missing", "缺少“{}”"}, path_of(name)), "missing_parameter");
}

std::optional<double> Fields::number(std::string_view name, double least, double most) {
  const json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) {
    wrong_type(name, text({"a number", "数字"}));
    return std::nullopt;
  }
  const double number = value->get<double>();
  if (number >= least && number <= most) return number;
  fail(name, text({"'{}' is {}; it must lie between {} and {}", "“{}”为 {}，必须在 {} 和 {} 之间"},
                  path_of(name), number, least, most));
  return std::nullopt;
}

std::optional<std::int64_t> Fields::integer(std::string_view name, std::int64_t least,
                                            std::int64_t most) {
  const json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number_integer()) {
    wrong_type(name, text({"an integer", "整数"}));
    return std::nullopt;
  }
  const bool beyond = value->is_number_unsigned() && value->get<std::uint64_t>() > INT64_MAX;
  const std::int64_t number = beyond ? 0 : value->get<std::int64_t>();
  if (!beyond && number >= least && number <= most) return number;
  fail(name, text({"'{}' is {}; it must lie between {} and {}", "“{}”为 {}，必须在 {} 和 {} 之间"},
                  path_of(name), value->dump(), least, most));
  return std::nullopt;
}

std::optional<bool> Fields::boolean(std::string_view name) {
  const json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  wrong_type(name, text({"true or false", " true 或 false"}));
  return std::nullopt;
}

const std::string* Fields::string(std::string_view name) {
  const json* value = find(name);
  if (value == nullptr || value->is_string())
    return value == nullptr ? nullptr : value->get_ptr<const std::string*>();
  wrong_type(name, text({"a string", "字符串"}));
  return nullptr;
}

const json* Fields::list(std::string_view name) {
  const json* value = find(name);
  if (value == nullptr || value->is_array()) return value;
  wrong_type(name, text({"a list", "列表"}));
  return nullptr;
}

const json* Fields::object(std::string_view name) {
  const json* value = find(name);
  if (value == nullptr || value->is_object()) return value;
  wrong_type(name, text({"an object", "对象"}));
  return nullptr;
}

void Fields::ignore(std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) known_.emplace_back(name);
}

void Fields::refuse(std::string_view name, const Text& why) {
  if (!has(name)) return;
  fail(name,
       Text{fmt::format("'{}' is not supported: {}", path_of(name), why.en),
            fmt::format("不支持“{}”：{}", path_of(name), why.zh)},
       "unsupported_parameter");
}

void Fields::finish() {
  if (failure_) return;
  for (const auto& [name, value] : object_.items()) {
    if (std::ranges::find(known_, name) != known_.end()) continue;
    const auto near = nearest(name, known_);
    const std::string said = path_ + shown(name);
    return fail(shown(name),
                near ? text({"unknown parameter '{}'; did you mean '{}'?",
                             "未知参数“{}”；您是否想用“{}”？"},
                            said, path_ + *near)
                     : text({"unknown parameter '{}'", "未知参数“{}”"}, said),
                "unknown_parameter");
  }
}

}  // namespace premise
