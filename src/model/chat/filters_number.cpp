// Filters whose result is a number, or anything at all.
#include <charconv>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

#include "model/chat/filter_support.h"
#include "model/chat/unicode_text.h"

namespace premise {
namespace {

using Given = const Arguments&;

// What int() and float() accept around and between digits: blanks, single underscores.
std::optional<std::string> plain_number(const MarkedString& text) {
  const TextRange span = strip_spaces(text.bytes(), true, true);
  std::string plain;
  const std::string_view inner =
      std::string_view(text.bytes()).substr(span.begin, span.end - span.begin);
  for (std::size_t i = 0; i < inner.size(); ++i) {
    if (inner[i] != '_') {
      plain += inner[i];
      continue;
    }
    const auto digit = [&](std::size_t at) {
      return at < inner.size() && std::isalnum(static_cast<unsigned char>(inner[at]));
    };
    if (i == 0 || !digit(i - 1) || !digit(i + 1)) return std::nullopt;
  }
  return plain;
}

std::optional<double> parse_real(const MarkedString& text) {
  auto plain = plain_number(text);
  if (!plain || plain->empty()) return std::nullopt;
  if (plain->front() == '+') plain->erase(0, 1);
  if (plain->find_first_of("xXpP(") != plain->npos || plain->starts_with("+")) return std::nullopt;
  double value = 0;
  const auto [end, problem] = std::from_chars(plain->data(), plain->data() + plain->size(), value);
  if (end != plain->data() + plain->size()) return std::nullopt;
  if (problem == std::errc::result_out_of_range) return std::strtod(plain->c_str(), nullptr);
  return problem == std::errc() ? std::optional(value) : std::nullopt;
}

std::optional<std::int64_t> parse_integer(const MarkedString& text, std::int64_t base) {
  auto plain = plain_number(text);
  if (!plain || plain->empty()) return std::nullopt;
  bool negative = false;
  if (plain->front() == '+' || plain->front() == '-') {
    negative = plain->front() == '-';
    plain->erase(0, 1);
  }
  if (plain->size() > 2 && (*plain)[0] == '0') {
    const char mark = static_cast<char>((*plain)[1] | 0x20);
    const int marked = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 0;
    if (marked && (base == marked || base == 0)) {
      plain->erase(0, 2);
      base = marked;
    }
  }
  if (base == 0) base = 10;
  if (base < 2 || base > 36 || plain->empty() || plain->front() == '-') return std::nullopt;
  if (negative) plain->insert(0, "-");
  std::int64_t value = 0;
  const auto [end, problem] =
      std::from_chars(plain->data(), plain->data() + plain->size(), value, static_cast<int>(base));
  if (problem == std::errc::result_out_of_range)
    fail({"an integer does not fit 64 bits", "整数超出 64 位范围"});
  return problem == std::errc() && end == plain->data() + plain->size() ? std::optional(value)
                                                                        : std::nullopt;
}

std::optional<std::int64_t> truncated(double real) {
  if (!std::isfinite(real)) return std::nullopt;
  if (std::abs(real) >= 0x1p63) fail({"an integer does not fit 64 bits", "整数超出 64 位范围"});
  return static_cast<std::int64_t>(real);
}

Value to_integer(Runtime&, const Value& value, Given given) {
  const auto [otherwise, base] = given.bind<2>("int", {"default", "base"});
  if (const auto* undefined = value.as<Undefined>()) fail_undefined(*undefined);
  std::int64_t storage = 0;
  std::optional<std::int64_t> result;
  bool trusted = value.trusted();
  if (const auto* integer = integer_of(value, storage)) {
    result = *integer;
  } else if (const auto* real = value.as<double>()) {
    result = truncated(*real);
  } else if (const auto* text = value.string()) {
    trusted = text->all_trusted();
    result = parse_integer(*text, base ? want_integer(*base, "int") : 10);
    if (!result)
      if (const auto parsed = parse_real(*text)) result = truncated(*parsed);
  }
  if (result) return Value(*result).marked(trusted);
  return otherwise ? *otherwise : Value(0);
}

Value to_real(Runtime&, const Value& value, Given given) {
  const auto [otherwise] = given.bind<1>("float", {"default"});
  if (const auto* undefined = value.as<Undefined>()) fail_undefined(*undefined);
  if (value.is_number()) return Value(real_of(value)).marked(value.trusted());
  if (const auto* text = value.string())
    if (const auto parsed = parse_real(*text)) return Value(*parsed).marked(text->all_trusted());
  return otherwise ? *otherwise : Value(0.0);
}

// Half to even in the decimal that the float really is, as Python rounds.
double rounded(double value, std::int64_t digits) {
  if (!std::isfinite(value)) fail({"round of what is not finite", "不能对非有限数取整"});
  if (digits >= 0)
    return std::strtod(fmt::format("{:.{}f}", value, std::min<std::int64_t>(digits, 400)).c_str(),
                       nullptr);
  const double scale = std::pow(10.0, static_cast<double>(-digits));
  return std::nearbyint(value / scale) * scale;
}

std::int64_t rounded(std::int64_t value, std::int64_t digits) {
  if (digits >= 0) return value;
  if (digits < -18) return 0;
  std::int64_t scale = 1;
  for (std::int64_t i = digits; i < 0; ++i) scale *= 10;
  std::int64_t whole = value / scale;
  const std::int64_t rest = std::abs(value % scale);
  if (rest * 2 > scale || (rest * 2 == scale && whole % 2 != 0)) whole += value < 0 ? -1 : 1;
  return whole * scale;
}

Value round(Runtime&, const Value& value, Given given) {
  const auto [precision, method] = given.bind<2>("round", {"precision", "method"});
  const std::int64_t digits = precision ? want_integer(*precision, "round") : 0;
  const std::string how = method ? want_string(*method, "round").bytes() : "common";
  if (how != "common" && how != "ceil" && how != "floor")
    fail({"round knows common, ceil and floor", "round 只支持 common、ceil 和 floor"});
  if (const auto* undefined = value.as<Undefined>()) fail_undefined(*undefined);
  if (!value.is_number()) fail({"round of a '{}'", "不能对“{}”取整"}, value.type_name());
  std::int64_t storage = 0;
  if (how == "common") {
    if (const auto* integer = integer_of(value, storage))
      return Value(rounded(*integer, digits)).marked(value.trusted());
    return Value(rounded(real_of(value), digits)).marked(value.trusted());
  }
  if (std::abs(digits) > 300) fail({"round to {} digits", "取整到 {} 位，超出范围"}, digits);
  const double scale = std::pow(10.0, static_cast<double>(digits));
  const double scaled = real_of(value) * scale;
  return Value((how == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / scale)
      .marked(value.trusted());
}

Value absolute(Runtime&, const Value& value, Given given) {
  given.none("abs");
  if (const auto* undefined = value.as<Undefined>()) fail_undefined(*undefined);
  if (!value.is_number()) fail({"abs of a '{}'", "不能对“{}”取绝对值"}, value.type_name());
  std::int64_t storage = 0;
  if (const auto* integer = integer_of(value, storage))
    return *integer < 0 ? negated(value) : Value(*integer).marked(value.trusted());
  return Value(std::abs(real_of(value))).marked(value.trusted());
}

Value default_to(Runtime&, const Value& value, Given given) {
  const auto [otherwise, boolean] = given.bind<2>("default", {"default_value", "boolean"});
  if (!value.is_undefined() && !(boolean && boolean->truth() && !value.truth())) return value;
  return otherwise ? *otherwise : Value(MarkedString());
}

Value attr(Runtime& runtime, const Value& value, Given given) {
  const auto [name] = given.bind<1>("attr", {"name"}, 1);
  if (value.dict()) {  // its keys are no attributes
    bool unsafe = false;
    if (!find_method(value, python_str(runtime.budget(), *name).bytes(), unsafe))
      return Undefined{nullptr, unsafe};
  }
  return runtime.item(value, python_str(runtime.budget(), *name));
}

constexpr NamedFunction number_table[] = {
    {"abs", absolute},  {"attr", attr},      {"d", default_to}, {"default", default_to},
    {"float", to_real}, {"int", to_integer}, {"round", round},
};

}  // namespace

std::span<const NamedFunction> number_filters() { return number_table; }

}  // namespace premise
