// JSON text into values, event by event: the library's own tree would lose the order of keys, or
// keep it and take quadratic time over large objects.
#include <nlohmann/json.hpp>

#include "base/printable.h"
#include "model/chat/failure.h"
#include "model/chat/json_text.h"

namespace premise {
namespace {

class ValueBuilder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return put(Value(None{})); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(std::int64_t{value}); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<number_unsigned_t>(INT64_MAX)) return put(static_cast<double>(value));
    return put(static_cast<std::int64_t>(value));
  }
  bool number_float(number_float_t value, const string_t&) override { return put(value); }
  bool string(string_t& value) override { return put(Value::data(std::move(value))); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(true); }
  bool start_array(std::size_t) override { return open(false); }
  bool key(string_t& value) override {
    open_.back().key = std::move(value);
    return true;
  }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    position_ = position;
    return false;
  }

  Value take() { return std::move(result_); }
  std::size_t position() const { return position_; }
  bool too_deep() const { return too_deep_; }

 private:
  struct Open {
    bool object = false;
    Dict dict;
    std::vector<Value> items;
    std::string key;
  };

  bool open(bool object) {
    too_deep_ = open_.size() >= static_cast<std::size_t>(TemplateLimits::value_depth);
    if (too_deep_) return false;
    open_.emplace_back().object = object;
    return true;
  }

  bool close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    return put(done.object ? Value(std::move(done.dict)) : Value::list(std::move(done.items)));
  }

  bool put(Value value) {
    Value data = std::move(value).marked(false);
    if (open_.empty()) {
      result_ = std::move(data);
    } else if (open_.back().object) {
      open_.back().dict.insert(Value::data(std::move(open_.back().key)), std::move(data));
    } else {
      open_.back().items.push_back(std::move(data));
    }
    return true;
  }

  std::vector<Open> open_;
  Value result_;
  std::size_t position_ = 0;
  bool too_deep_ = false;
};

}  // namespace

Result<Value> value_from_json(std::string_view json) {
  ValueBuilder builder;
  try {
    if (nlohmann::json::sax_parse(json.begin(), json.end(), &builder)) return builder.take();
  } catch (const TemplateFailure& failure) {
    return Error{failure.code, failure.what};
  }
  if (builder.too_deep())
    return error(ErrorCode::bad_input, {"JSON nested beyond {} levels", "JSON 嵌套超过 {} 层"},
                 int{TemplateLimits::value_depth});
  return error(ErrorCode::bad_input, {"not JSON from byte {} on", "从第 {} 字节起不是 JSON"},
               builder.position());
}

}  // namespace premise
