// Python's arithmetic on the values of templates. Integers have 64 bits; what leaves them is
// refused, never wrapped.
#include <cmath>

#include "model/chat/runtime.h"
#include "model/chat/text_format.h"
#include "model/chat/text_operations.h"

namespace premise {
namespace {

[[noreturn]] void fail_overflow() {
  fail({"an integer does not fit 64 bits", "整数超出 64 位范围"});
}
[[noreturn]] void fail_zero() { fail({"division by zero", "除数为零"}); }

std::string_view spelling(Arithmetic operation) {
  constexpr std::string_view spellings[] = {"+", "-", "*", "/", "//", "%", "**"};
  return spellings[static_cast<std::size_t>(operation)];
}

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  if (b == 0) fail_zero();
  if (a == INT64_MIN && b == -1) fail_overflow();
  const std::int64_t quotient = a / b;
  return quotient - (a % b != 0 && (a < 0) != (b < 0));
}

std::int64_t floor_modulo(std::int64_t a, std::int64_t b) {
  if (b == 0) fail_zero();
  if (b == -1) return 0;
  const std::int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

std::int64_t integer_power(std::int64_t base, std::int64_t exponent) {
  std::int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) fail_overflow();
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) fail_overflow();
  }
  return result;
}

double real_modulo(double a, double b) {
  if (b == 0) fail_zero();
  const double rest = std::fmod(a, b);
  if (rest == 0) return std::copysign(0.0, b);
  return (rest < 0) != (b < 0) ? rest + b : rest;
}

double real_floor_divide(double a, double b) {
  if (b == 0) fail_zero();
  const double quotient = (a - real_modulo(a, b)) / b;
  const double floored = std::floor(quotient);
  return quotient - floored > 0.5 ? floored + 1 : floored;
}

double real_power(double base, double exponent) {
  if (base == 0 && exponent < 0) fail_zero();
  const double result = std::pow(base, exponent);
  if (std::isnan(result) && !std::isnan(base) && !std::isnan(exponent))
    fail({"a power that is no real number", "乘方结果不是实数"});
  if (std::isinf(result) && !std::isinf(base) && !std::isinf(exponent))
    fail({"a number too large", "数值过大"});
  return result;
}

Value compute_integers(Arithmetic operation, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  switch (operation) {
    case Arithmetic::add:
      if (__builtin_add_overflow(a, b, &result)) fail_overflow();
      return result;
    case Arithmetic::subtract:
      if (__builtin_sub_overflow(a, b, &result)) fail_overflow();
      return result;
    case Arithmetic::multiply:
      if (__builtin_mul_overflow(a, b, &result)) fail_overflow();
      return result;
    case Arithmetic::divide:
      if (b == 0) fail_zero();
      return static_cast<double>(a) / static_cast<double>(b);
    case Arithmetic::floor_divide:
      return floor_divide(a, b);
    case Arithmetic::modulo:
      return floor_modulo(a, b);
    case Arithmetic::power:
      if (b < 0) return real_power(static_cast<double>(a), static_cast<double>(b));
      return integer_power(a, b);
  }
  return None{};
}

Value compute_reals(Arithmetic operation, double a, double b) {
  switch (operation) {
    case Arithmetic::add:
      return a + b;
    case Arithmetic::subtract:
      return a - b;
    case Arithmetic::multiply:
      return a * b;
    case Arithmetic::divide:
      if (b == 0) fail_zero();
      return a / b;
    case Arithmetic::floor_divide:
      return real_floor_divide(a, b);
    case Arithmetic::modulo:
      return real_modulo(a, b);
    case Arithmetic::power:
      return real_power(a, b);
  }
  return None{};
}

// "ab" * 3, [1] * 3.
Value repeated(Runtime& runtime, const Value& sequence, std::int64_t count) {
  const auto times = static_cast<std::size_t>(std::max<std::int64_t>(count, 0));
  const auto check = [&](std::size_t bytes) {
    if (times > 0 && bytes > runtime.budget().limits().memory_bytes / times)
      runtime.budget().take(SIZE_MAX);
    runtime.budget().take(bytes * times);
  };
  if (const auto* text = sequence.string()) {
    check(text->size());
    MarkedString out;
    for (std::size_t i = 0; i < times && !text->empty(); ++i) out.append(*text);
    return out;
  }
  const List& list = *sequence.list();
  check(list.items.size() * sizeof(Value));
  std::vector<Value> items;
  for (std::size_t i = 0; i < times && !list.items.empty(); ++i)
    items.insert(items.end(), list.items.begin(), list.items.end());
  return list.tuple ? Value::tuple(std::move(items)) : Value::list(std::move(items));
}

Value added(Runtime& runtime, const Value& left, const Value& right) {
  if (const auto *a = left.string(), *b = right.string(); a && b) {
    if (left.is_markup() || right.is_markup()) {
      MarkedString out = left.is_markup() ? *a : escaped_for_html(runtime.budget(), *a);
      out.append(right.is_markup() ? *b : escaped_for_html(runtime.budget(), *b));
      return Value(std::move(out)).as_markup();
    }
    runtime.budget().take(a->size() + b->size());
    MarkedString out;
    out.reserve(a->size() + b->size());
    out.append(*a);
    out.append(*b);
    return out;
  }
  const auto *a = left.list(), *b = right.list();
  if (a && b && a->tuple == b->tuple) {
    runtime.budget().take((a->items.size() + b->items.size()) * sizeof(Value));
    std::vector<Value> items = a->items;
    items.insert(items.end(), b->items.begin(), b->items.end());
    return a->tuple ? Value::tuple(std::move(items)) : Value::list(std::move(items));
  }
  fail({"'{}' + '{}' has no meaning", "“{}” + “{}”没有意义"}, left.type_name(), right.type_name());
}

}  // namespace

Value compute(Runtime& runtime, Arithmetic operation, const Value& left, const Value& right) {
  for (const Value* operand : {&left, &right})
    if (const auto* undefined = operand->as<Undefined>();
        undefined && !(operation == Arithmetic::modulo && left.string()))
      fail_undefined(*undefined);
  std::int64_t a = 0, b = 0;
  const auto *x = integer_of(left, a), *y = integer_of(right, b);
  const bool trusted = left.trusted() && right.trusted();
  if (x && y) return compute_integers(operation, *x, *y).marked(trusted);
  if (left.is_number() && right.is_number())
    return compute_reals(operation, real_of(left), real_of(right)).marked(trusted);
  if (operation == Arithmetic::add) return added(runtime, left, right);
  if (operation == Arithmetic::multiply && y && (left.string() || left.list()))
    return repeated(runtime, left, *y);
  if (operation == Arithmetic::multiply && x && (right.string() || right.list()))
    return repeated(runtime, right, *x);
  if (operation == Arithmetic::modulo && left.string())
    return percent_format(runtime, *left.string(), right);
  fail({"'{}' {} '{}' has no meaning", "“{}” {} “{}”没有意义"}, left.type_name(),
       spelling(operation), right.type_name());
}

Value negated(const Value& value) {
  if (const auto* undefined = value.as<Undefined>()) fail_undefined(*undefined);
  std::int64_t storage = 0;
  if (const auto* integer = integer_of(value, storage)) {
    if (*integer == INT64_MIN) fail_overflow();
    return Value(-*integer).marked(value.trusted());
  }
  if (const auto* real = value.as<double>()) return Value(-*real).marked(value.trusted());
  fail({"a '{}' has no sign", "“{}”不能取正负"}, value.type_name());
}

bool charged_equal(Runtime& runtime, const Value& a, const Value& b) {
  runtime.budget().step(std::min(a.extent().weight, b.extent().weight));
  return equal(a, b);
}

bool charged_less(Runtime& runtime, const Value& a, const Value& b) {
  for (const Value* operand : {&a, &b})
    if (const auto* undefined = operand->as<Undefined>()) fail_undefined(*undefined);
  runtime.budget().step(std::min(a.extent().weight, b.extent().weight));
  return less(a, b);
}

void fail_undefined(const Undefined& undefined) {
  if (undefined.unsafe)
    fail({"{} would change a value; lists and dictionaries cannot be changed in chat templates",
          "{} 会改变值；对话模板中的列表和字典不可修改"},
         undefined.name ? *undefined.name : std::string("method"));
  if (!undefined.name) fail({"a missing element is used", "使用了不存在的元素"});
  fail({"\"{}\" is undefined", "“{}”未定义"}, *undefined.name);
}

std::int64_t want_integer(const Value& value, std::string_view what) {
  if (const auto* undefined = value.as<Undefined>()) fail_undefined(*undefined);
  std::int64_t storage = 0;
  if (const auto* integer = integer_of(value, storage)) return *integer;
  fail({"{} needs an integer, not a '{}'", "{} 需要整数，而不是“{}”"}, what, value.type_name());
}

const MarkedString& want_string(const Value& value, std::string_view what) {
  if (const auto* undefined = value.as<Undefined>()) fail_undefined(*undefined);
  if (const auto* text = value.string()) return *text;
  fail({"{} needs a string, not a '{}'", "{} 需要字符串，而不是“{}”"}, what, value.type_name());
}

}  // namespace premise
