#include "model/chat/format_specification.h"

#include <fmt/format.h>

#include <cmath>

#include "model/chat/python_text.h"
#include "model/chat/text_operations.h"

namespace premise {
namespace {

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

}  // namespace

void fail_format(std::string_view what) {
  fail({"a format that Python would refuse, at \"{}\"", "格式有误：“{}”"}, what);
}

bool is_digit_at(std::string_view text, std::size_t at) {
  return at < text.size() && text[at] >= '0' && text[at] <= '9';
}

std::int64_t read_number(std::string_view text, std::size_t& at) {
  std::int64_t number = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    number = number * 10 + (text[at] - '0');
    if (number > format_width_max) fail_format(text);
  }
  return number;
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
  const bool zeros_only = spec.zero && spec.align == '=';  // "05": as wide, but to the left
  if ((spec.type != 0 && spec.type != 's') || spec.sign != '-' || spec.grouping || spec.alternate ||
      (spec.align == '=' && !zeros_only))
    fail_format("string");
  MarkedString kept = text;
  if (spec.precision >= 0)
    kept =
        text.part(0, offset_of_character(text.bytes(), static_cast<std::size_t>(spec.precision)));
  Specification left = spec;
  if (left.align == '=') left.align = '<';
  return aligned(budget, {}, kept, left, '<');
}

MarkedString format_value(Runtime& runtime, const Value& value, std::string_view specification) {
  Budget& budget = runtime.budget();
  if (specification.empty()) return python_str(budget, value);
  const Specification spec = parse(specification);
  budget.take(static_cast<std::size_t>(spec.width) + 32);
  if (const auto* text = value.string()) return format_text(budget, *text, spec);
  if (value.is_number()) return format_number(budget, value, spec);
  fail({"a '{}' takes no format", "“{}”不接受格式说明"}, value.type_name());
}

}  // namespace premise
