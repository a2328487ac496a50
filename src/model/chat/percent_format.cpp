// "%s is %05d" % (name, age), as Python's printf-style formatting has it.
#include <cmath>

#include "model/chat/format_specification.h"
#include "model/chat/python_text.h"
#include "model/chat/text_format.h"
#include "model/chat/unicode_text.h"

namespace premise {
namespace {

// What Python takes for a mapping here, so that it need not be used up.
bool takes_subscripts(const Value& values) {
  return values.dict() || values.list() || values.is_undefined() ||
         values.as<std::shared_ptr<const IntegerRange>>();
}

// One "%…" of a percent format.
class PercentFormatter {
 public:
  PercentFormatter(Runtime& runtime, const MarkedString& format, const Value& values)
      : runtime_(runtime), format_(format), text_(format.bytes()), values_(values) {
    const List* list = values.list();
    tuple_ = list && list->tuple ? list : nullptr;
  }

  Value run() {
    for (;;) {
      const std::size_t hole = text_.find('%', at_);
      out_.append(format_, at_, std::min(hole, text_.size()));
      if (hole == text_.npos) break;
      at_ = hole + 1;
      fill_hole();
    }
    const bool all_used =
        tuple_ ? used_ == tuple_->items.size() : used_ > 0 || takes_subscripts(values_);
    if (!all_used) fail({"more values than holes in a % format", "% 格式的值多于占位符"});
    runtime_.budget().take(out_.size());
    return std::move(out_);
  }

 private:
  const Value& next_value() {
    const std::size_t count = tuple_ ? tuple_->items.size() : 1;
    if (used_ >= count) fail({"fewer values than holes in a % format", "% 格式的值少于占位符"});
    const std::size_t index = used_++;
    return tuple_ ? tuple_->items[index] : values_;
  }

  const Value& keyed_value() {
    const std::size_t end = text_.find(')', at_);
    const Dict* dict = values_.dict();
    if (end == text_.npos || !dict) fail_format("%(");
    const Value* value = dict->find(text_.substr(at_, end - at_));
    if (!value) fail({"a % format names a missing key", "% 格式引用了不存在的键"});
    at_ = end + 1;
    used_ = 1;
    return *value;
  }

  std::int64_t number_or_star() {
    if (at_ < text_.size() && text_[at_] == '*') {
      ++at_;
      const std::int64_t number = want_integer(next_value(), "%*");
      if (number > format_width_max || number < -format_width_max) fail_format("%*");
      return number;
    }
    return read_number(text_, at_);
  }

  void fill_hole() {
    const Value* value = nullptr;
    if (at_ < text_.size() && text_[at_] == '(') {
      ++at_;
      value = &keyed_value();
    }
    Specification spec;
    bool left = false, zero = false;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '-')
        left = true;
      else if (c == '0')
        zero = true;
      else if (c == '+')
        spec.sign = '+';
      else if (c == ' ')
        spec.sign = spec.sign == '+' ? '+' : ' ';
      else if (c == '#')
        spec.alternate = true;
      else
        break;
    }
    spec.width = number_or_star();
    if (spec.width < 0) {
      left = true;
      spec.width = -spec.width;
    }
    if (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      spec.precision = std::max<std::int64_t>(number_or_star(), 0);
    }
    while (at_ < text_.size() && std::string_view("hlL").find(text_[at_]) != std::string_view::npos)
      ++at_;
    if (at_ >= text_.size()) fail_format("%");
    const char type = text_[at_++];
    if (type == '%') {
      out_.append("%", format_.trusted_at(at_ - 1));
      return;
    }
    spec.align = left ? '<' : '>';
    out_.append(converted(value ? *value : next_value(), type, spec, zero && !left));
  }

  MarkedString converted(const Value& value, char type, Specification spec, bool zero) {
    Budget& budget = runtime_.budget();
    if (type == 's' || type == 'r' || type == 'a') {
      spec.sign = '-';
      spec.alternate = false;
      return format_text(
          budget, type == 's' ? python_str(budget, value) : python_repr(budget, value), spec);
    }
    if (type == 'c') {
      if (const auto* text = value.string(); text && count_characters(text->bytes()) == 1)
        return format_text(budget, *text, spec);
      fail_format("%c");
    }
    if (!value.is_number()) {
      if (const auto* undefined = value.as<Undefined>()) fail_undefined(*undefined);
      fail({"%{} needs a number, not a '{}'", "%{} 需要数字，而不是“{}”"}, type, value.type_name());
    }
    if (zero) {
      spec.align = '=';
      spec.fill = MarkedString("0", true);
    }
    Value number = value;
    if (type == 'd' || type == 'i' || type == 'u') {
      if (const auto* real = value.as<double>()) {
        if (!(std::abs(*real) < 0x1p63))
          fail({"an integer does not fit 64 bits", "整数超出 64 位范围"});
        number = Value(static_cast<std::int64_t>(*real)).marked(value.trusted());
      }
      type = 'd';
    }
    if (std::string_view("doxXeEfFgG").find(type) == std::string_view::npos)
      fail_format(std::string("%") + type);
    spec.type = type;
    std::int64_t storage = 0;
    const auto* integer = integer_of(number, storage);
    if (integer && spec.precision >= 0 &&
        std::string_view("doxX").find(type) != std::string_view::npos) {
      // A precision of an integer is the least number of digits.
      const auto magnitude = *integer < 0 ? 0 - static_cast<std::uint64_t>(*integer)
                                          : static_cast<std::uint64_t>(*integer);
      const std::string digits = integer_digits(magnitude, type, false);
      const auto least = static_cast<std::size_t>(spec.precision);
      const std::string zeros(digits.size() < least ? least - digits.size() : 0, '0');
      const std::string sign = *integer < 0       ? "-"
                               : spec.sign == '+' ? "+"
                               : spec.sign == ' ' ? " "
                                                  : "";
      return aligned(budget, MarkedString(sign, number.trusted()),
                     MarkedString(zeros + digits, number.trusted()), spec, '>');
    }
    return format_number(budget, number, spec);
  }

  Runtime& runtime_;
  const MarkedString& format_;
  const std::string_view text_;
  const Value& values_;
  const List* tuple_ = nullptr;
  std::size_t at_ = 0;
  std::size_t used_ = 0;
  MarkedString out_;
};

}  // namespace

Value percent_format(Runtime& runtime, const MarkedString& format, const Value& values) {
  return PercentFormatter(runtime, format, values).run();
}

}  // namespace premise
