#include "model/chat/percent_format.h"

#include <fmt/format.h>

#include <cmath>

#include "model/chat/python_text.h"
#include "model/chat/text_operations.h"

namespace premise {
namespace {

constexpr std::int64_t width_max = 1 << 20;

[[noreturn]] void fail_format(std::string_view what) {
  fail({"a format that Python would refuse, at \"{}\"", "格式有误：“{}”"}, what);
}

struct Specification {
  MarkedString fill{" ", true};
  char align = 0;  // < > ^ =
  char sign = '-';
  bool alternate = false;
  bool zero = false;
  std::int64_t width = 0;
  char grouping = 0;
  std::int64_t precision = -1;
  char type = 0;
};

std::int64_t read_number(std::string_view text, std::size_t& at) {
  std::int64_t number = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    number = number * 10 + (text[at] - '0');
    if (number > width_max) fail_format(text);
  }
  return number;
}

bool is_digit_at(std::string_view text, std::size_t at) {
  return at < text.size() && text[at] >= '0' && text[at] <= '9';
}

Specification parse(std::string_view text) {
  constexpr std::string_view aligns = "<>^=";
  Specification spec;
  std::size_t at = 0;
  const auto is_align = [&](std::size_t i) {
    return i < text.size() && aligns.find(text[i]) != aligns.npos;
  };
  const std::size_t first = text.empty() ? 0 : character_bytes(text, 0);
  if (!text.empty() && is_align(first)) {
    spec.fill = MarkedString(std::string(text.substr(0, first)), true);
    spec.align = text[first];
    at = first + 1;
  } else if (is_align(0)) {
    spec.align = text[0];
    at = 1;
  }
  const auto take = [&](char c) { return at < text.size() && text[at] == c && ++at; };
  for (const char c : {'+', '-', ' '})
    if (take(c)) {
      spec.sign = c;
      break;
    }
  spec.alternate = take('#');
  if (take('0')) {
    spec.zero = true;
    if (!spec.align) {
      spec.align = '=';
      spec.fill = MarkedString("0", true);
    }
  }
  spec.width = read_number(text, at);
  for (const char c : {',', '_'})
    if (take(c)) {
      spec.grouping = c;
      break;
    }
  if (take('.')) {
    if (!is_digit_at(text, at)) fail_format(text);
    spec.precision = read_number(text, at);
  }
  if (at < text.size()) spec.type = text[at++];
  if (at != text.size()) fail_format(text);
  return spec;
}

std::string grouped(const std::string& digits, char separator, std::size_t every) {
  std::size_t whole = 0;
  while (whole < digits.size() && std::isalnum(static_cast<unsigned char>(digits[whole]))) ++whole;
  std::string out;
  for (std::size_t i = 0; i < whole; ++i) {
    if (i > 0 && (whole - i) % every == 0) out += separator;
    out += digits[i];
  }
  return out + digits.substr(whole);
}

std::string integer_digits(std::uint64_t magnitude, char type, bool alternate) {
  switch (type) {
    case 'b':
      return fmt::format("{}{:b}", alternate ? "0b" : "", magnitude);
    case 'o':
      return fmt::format("{}{:o}", alternate ? "0o" : "", magnitude);
    case 'x':
      return fmt::format("{}{:x}", alternate ? "0x" : "", magnitude);
    case 'X':
      return fmt::format("{}{:X}", alternate ? "0X" : "", magnitude);
    default:
      return fmt::format("{}", magnitude);
  }
}

std::string real_digits(double magnitude, const Specification& spec) {
  const int precision =
      spec.precision < 0 ? 6 : static_cast<int>(std::min<std::int64_t>(spec.precision, 400));
  if (!std::isfinite(magnitude)) {
    const bool upper = spec.type == 'F' || spec.type == 'E' || spec.type == 'G';
    const std::string name = std::isnan(magnitude) ? "nan" : "inf";
    return upper ? (name == "nan" ? "NAN" : "INF") : name + (spec.type == '%' ? "%" : "");
  }
  switch (spec.type) {
    case 'f':
    case 'F':
      return fmt::format("{:.{}f}", magnitude, precision);
    case 'e':
      return fmt::format("{:.{}e}", magnitude, precision);
    case 'E':
      return fmt::format("{:.{}E}", magnitude, precision);
    case 'G':
      return fmt::format("{:.{}G}", magnitude, std::max(precision, 1));
    case '%':
      return fmt::format("{:.{}f}%", magnitude * 100, precision);
    case 0:
      if (spec.precision < 0) return python_float(magnitude);
      {
        // Like g, but with at least one digit behind the point.
        std::string digits = fmt::format("{:.{}g}", magnitude, std::max(precision, 1));
        if (digits.find_first_of(".e") == digits.npos) {
          if (static_cast<int>(digits.size()) >= std::max(precision, 1))
            return fmt::format("{:.{}e}", magnitude, std::max(precision, 1) - 1);
          digits += ".0";
        }
        return digits;
      }
    default:
      return fmt::format("{:.{}g}", magnitude, std::max(precision, 1));
  }
}

MarkedString aligned(Budget& budget, const MarkedString& sign, const MarkedString& body,
                     const Specification& spec, char otherwise) {
  const char align = spec.align ? spec.align : otherwise;
  MarkedString out;
  if (align == '=') {
    out.append(sign);
    const auto used = static_cast<std::int64_t>(count_characters(sign.bytes()));
    out.append(padded(budget, body, spec.width - used, spec.fill, 1));
    return out;
  }
  out.append(sign);
  out.append(body);
  if (align == '^') {
    // str.center puts the odd blank elsewhere than format does.
    const auto missing = spec.width - static_cast<std::int64_t>(count_characters(out.bytes()));
    if (missing > 1) out = padded(budget, out, spec.width - (missing + 1) / 2, spec.fill, 1);
    return padded(budget, out, spec.width, spec.fill, -1);
  }
  return padded(budget, out, spec.width, spec.fill, align == '<' ? -1 : 1);
}

MarkedString format_number(Budget& budget, const Value& value, const Specification& spec) {
  std::int64_t storage = 0;
  const auto* integer = integer_of(value, storage);
  const bool as_real =
      !integer || std::string_view("eEfFgG%").find(spec.type) != std::string_view::npos;
  std::string digits;
  bool negative = false;
  if (as_real && spec.type != 0 &&
      std::string_view("eEfFgG%").find(spec.type) == std::string_view::npos)
    fail_format(std::string(1, spec.type));
  if (spec.type == 0 || as_real) {
    if (as_real) {
      const double real = real_of(value);
      negative = std::signbit(real) && !std::isnan(real);
      digits = real_digits(std::abs(real), spec);
    }
  } else if (std::string_view("bdoxXn").find(spec.type) == std::string_view::npos) {
    fail_format(std::string(1, spec.type));
  }
  if (!as_real) {
    if (spec.precision >= 0) fail_format("precision");
    negative = *integer < 0;
    const auto magnitude =
        negative ? 0 - static_cast<std::uint64_t>(*integer) : static_cast<std::uint64_t>(*integer);
    digits = integer_digits(magnitude, spec.type, spec.alternate);
  }
  if (spec.grouping) {
    const bool binary =
        std::string_view("boxX").find(spec.type) != std::string_view::npos && spec.type;
    digits = grouped(digits, spec.grouping, binary ? 4 : 3);
  }
  const std::string sign = negative ? "-" : spec.sign == '+' ? "+" : spec.sign == ' ' ? " " : "";
  return aligned(budget, MarkedString(sign, value.trusted()), MarkedString(digits, value.trusted()),
                 spec, '>');
}

MarkedString format_text(Budget& budget, const MarkedString& text, const Specification& spec) {
  if ((spec.type != 0 && spec.type != 's') || spec.sign != '-' || spec.align == '=' ||
      spec.grouping || spec.alternate)
    if (!(spec.zero && spec.align == '=')) fail_format("string");
  MarkedString kept = text;
  if (spec.precision >= 0)
    kept =
        text.part(0, offset_of_character(text.bytes(), static_cast<std::size_t>(spec.precision)));
  Specification left = spec;
  if (left.align == '=') left.align = '<';
  return aligned(budget, {}, kept, left, '<');
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
        tuple_ ? used_ == tuple_->items.size() : used_ > 0 || values_.dict() || values_.list();
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
      if (number > width_max || number < -width_max) fail_format("%*");
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
        if (!(std::abs(*real) < 0x1p63)) fail_format("%d");
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

class BraceFormatter {
 public:
  BraceFormatter(Runtime& runtime, const Arguments& arguments)
      : runtime_(runtime), arguments_(arguments) {}

  MarkedString run(const MarkedString& format, int depth) {
    if (depth > 2) fail_format("{{{");
    const std::string_view text = format.bytes();
    MarkedString out;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t brace = text.find_first_of("{}", at);
      out.append(format, at, std::min(brace, text.size()));
      if (brace == text.npos) break;
      if (brace + 1 < text.size() && text[brace + 1] == text[brace]) {
        out.append(format, brace, brace + 1);
        at = brace + 2;
        continue;
      }
      if (text[brace] == '}') fail_format("}");
      const std::size_t end = closing(text, brace + 1);
      out.append(field(format.part(brace + 1, end), depth));
      at = end + 1;
    }
    return out;
  }

 private:
  static std::size_t closing(std::string_view text, std::size_t at) {
    for (int open = 1; at < text.size(); ++at) {
      if (text[at] == '{') ++open;
      if (text[at] == '}' && --open == 0) return at;
    }
    fail_format("{");
  }

  MarkedString field(const MarkedString& inside, int depth) {
    const std::string_view text = inside.bytes();
    std::size_t name_end = text.find_first_of("!:");
    if (const auto bracket = text.find('['); bracket < name_end)
      if (const auto close = text.find(']', bracket); close != text.npos)
        name_end = text.find_first_of("!:", close);
    if (name_end == text.npos) name_end = text.size();
    Value value = argument(text.substr(0, name_end));
    std::size_t at = name_end;
    if (at < text.size() && text[at] == '!') {
      const char conversion = at + 1 < text.size() ? text[at + 1] : '\0';
      if (conversion == 's')
        value = python_str(runtime_.budget(), value);
      else if (conversion == 'r')
        value = python_repr(runtime_.budget(), value);
      else
        fail_format(text);
      at += 2;
    }
    if (at < text.size() && text[at] != ':') fail_format(text);
    const MarkedString spec =
        at < text.size() ? run(inside.part(at + 1, text.size()), depth + 1) : MarkedString();
    return format_value(runtime_, value, spec.bytes());
  }

  Value argument(std::string_view name) {
    const std::size_t end = std::min(name.find_first_of(".["), name.size());
    Value value = first(name.substr(0, end));
    for (std::size_t at = end; at < name.size();) {
      if (name[at] == '.') {
        const std::size_t stop = std::min(name.find_first_of(".[", at + 1), name.size());
        value = runtime_.attribute(value, stored(name.substr(at + 1, stop - at - 1)));
        at = stop;
      } else {
        const std::size_t stop = name.find(']', at);
        if (name[at] != '[' || stop == name.npos) fail_format(name);
        const std::string_view key = name.substr(at + 1, stop - at - 1);
        std::size_t digits = 0;
        const bool number = is_digit_at(key, 0);
        const std::int64_t index = number ? read_number(key, digits) : 0;
        value = runtime_.item(
            value, number && digits == key.size() ? Value(index) : Value::text(std::string(key)));
        at = stop + 1;
      }
    }
    return value;
  }

  Value first(std::string_view name) {
    std::size_t index = next_;
    if (name.empty()) {
      ++next_;
    } else if (is_digit_at(name, 0)) {
      std::size_t at = 0;
      index = static_cast<std::size_t>(read_number(name, at));
      if (at != name.size()) fail_format(name);
    } else {
      for (const auto& [given, value] : arguments_.named)
        if (given == name) return value;
      fail({"format() was given no \"{}\"", "format() 缺少“{}”"}, name);
    }
    if (index >= arguments_.positional.size())
      fail({"format() was given fewer values than holes", "format() 的值少于占位符"});
    return arguments_.positional[index];
  }

  // Undefined values point to their names.
  const std::string& stored(std::string_view name) {
    names_.push_back(std::make_unique<std::string>(name));
    return *names_.back();
  }

  Runtime& runtime_;
  const Arguments& arguments_;
  std::size_t next_ = 0;
  std::vector<std::unique_ptr<std::string>> names_;
};

}  // namespace

MarkedString format_value(Runtime& runtime, const Value& value, std::string_view specification) {
  Budget& budget = runtime.budget();
  if (specification.empty()) return python_str(budget, value);
  const Specification spec = parse(specification);
  budget.take(static_cast<std::size_t>(spec.width) + 32);
  if (const auto* text = value.string()) return format_text(budget, *text, spec);
  if (value.is_number()) {
    if (value.as<bool>() && spec.type == 0) return format_number(budget, value, spec);
    return format_number(budget, value, spec);
  }
  fail({"a '{}' takes no format", "“{}”不接受格式说明"}, value.type_name());
}

Value percent_format(Runtime& runtime, const MarkedString& format, const Value& values) {
  return PercentFormatter(runtime, format, values).run();
}

Value brace_format(Runtime& runtime, const MarkedString& format, const Arguments& arguments) {
  MarkedString out = BraceFormatter(runtime, arguments).run(format, 0);
  runtime.budget().take(out.size());
  return out;
}

}  // namespace premise
