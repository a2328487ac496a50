// What can stand behind "is".
#include <algorithm>
#include <iterator>

#include "model/chat/python_text.h"
#include "model/chat/runtime.h"
#include "model/chat/unicode_text.h"

namespace premise {
namespace {

using Given = const Arguments&;

template <bool (*holds)(const Value&)>
Value plain(Runtime&, const Value& value, Given given) {
  given.none("test");
  return holds(value);
}

bool is_defined(const Value& value) { return !value.is_undefined(); }
bool is_undefined(const Value& value) { return value.is_undefined(); }
bool is_none(const Value& value) { return value.is_none(); }
bool is_boolean(const Value& value) { return value.as<bool>() != nullptr; }
bool is_true(const Value& value) { return is_boolean(value) && value.truth(); }
bool is_false(const Value& value) { return is_boolean(value) && !value.truth(); }
bool is_integer(const Value& value) { return value.as<std::int64_t>() != nullptr; }
bool is_real(const Value& value) { return value.as<double>() != nullptr; }
bool is_number(const Value& value) { return value.is_number(); }
bool is_string(const Value& value) { return value.string() != nullptr; }
bool is_mapping(const Value& value) { return value.dict() != nullptr; }
bool is_escaped(const Value&) { return false; }

// Undefined has a length (0) and takes subscripts (and fails): a sequence in Python's eyes.
bool is_sequence(const Value& value) {
  return value.string() || value.list() || value.dict() || value.is_undefined() ||
         value.as<std::shared_ptr<const IntegerRange>>();
}

bool is_iterable(const Value& value) {
  return is_sequence(value) || value.as<DictView>() || value.as<std::shared_ptr<Generator>>() ||
         value.as<LoopState*>();
}

bool is_callable(const Value& value) {
  return value.is_undefined() || value.as<MacroRef>() || value.as<Builtin>() ||
         value.as<LoopState*>() || value.as<std::shared_ptr<const BoundMethod>>();
}

template <int rest>
Value modulo_two(Runtime& runtime, const Value& value, Given given) {
  given.none("odd and even");
  return charged_equal(runtime, compute(runtime, Arithmetic::modulo, value, 2), rest);
}

Value divisible(Runtime& runtime, const Value& value, Given given) {
  const auto [number] = given.bind<1>("divisibleby", {"num"}, 1);
  return charged_equal(runtime, compute(runtime, Arithmetic::modulo, value, *number), 0);
}

template <bool negate>
Value equal_to(Runtime& runtime, const Value& value, Given given) {
  const auto [other] = given.bind<1>("eq", {"other"}, 1);
  return charged_equal(runtime, value, *other) != negate;
}

// a < b, or with the sides changed; with equality, or without.
template <bool swapped, bool or_equal>
Value ordered(Runtime& runtime, const Value& value, Given given) {
  const auto [other] = given.bind<1>("lt", {"other"}, 1);
  const bool before =
      swapped ? charged_less(runtime, *other, value) : charged_less(runtime, value, *other);
  return before || (or_equal && charged_equal(runtime, value, *other));
}

Value in(Runtime& runtime, const Value& value, Given given) {
  const auto [sequence] = given.bind<1>("in", {"seq"}, 1);
  return contains(runtime, *sequence, value);
}

// Identity. Numbers and strings have none that a template could rely on: their type and value
// count.
Value same(Runtime& runtime, const Value& value, Given given) {
  const auto [other] = given.bind<1>("sameas", {"other"}, 1);
  if (value.storage().index() != other->storage().index()) return false;
  if (const auto* list = value.list()) return list == other->list();
  if (const auto* dict = value.dict()) return dict == other->dict();
  return charged_equal(runtime, value, *other);
}

template <bool upper>
Value in_case(Runtime& runtime, const Value& value, Given given) {
  given.none("lower and upper");
  const MarkedString text = python_str(runtime.budget(), value);
  bool found = false;
  for (std::size_t at = 0; at < text.size(); at += character_bytes(text.bytes(), at)) {
    const char32_t code = character_at(text.bytes(), at);
    if (upper ? is_lower(code) : is_upper(code)) return false;
    found |= upper ? is_upper(code) : is_lower(code);
  }
  return found;
}

Value names_filter(Runtime&, const Value& value, Given given) {
  given.none("filter");
  return value.string() && find_filter(value.string()->bytes());
}

Value names_test(Runtime&, const Value& value, Given given) {
  given.none("test");
  return value.string() && find_test(value.string()->bytes());
}

constexpr NamedFunction is_table[] = {
    {"!=", equal_to<true>},
    {"<", ordered<false, false>},
    {"<=", ordered<false, true>},
    {"==", equal_to<false>},
    {">", ordered<true, false>},
    {">=", ordered<true, true>},
    {"boolean", plain<is_boolean>},
    {"callable", plain<is_callable>},
    {"defined", plain<is_defined>},
    {"divisibleby", divisible},
    {"eq", equal_to<false>},
    {"equalto", equal_to<false>},
    {"escaped", plain<is_escaped>},
    {"even", modulo_two<0>},
    {"false", plain<is_false>},
    {"filter", names_filter},
    {"float", plain<is_real>},
    {"ge", ordered<true, true>},
    {"greaterthan", ordered<true, false>},
    {"gt", ordered<true, false>},
    {"in", in},
    {"integer", plain<is_integer>},
    {"iterable", plain<is_iterable>},
    {"le", ordered<false, true>},
    {"lessthan", ordered<false, false>},
    {"lower", in_case<false>},
    {"lt", ordered<false, false>},
    {"mapping", plain<is_mapping>},
    {"ne", equal_to<true>},
    {"none", plain<is_none>},
    {"number", plain<is_number>},
    {"odd", modulo_two<1>},
    {"sameas", same},
    {"sequence", plain<is_sequence>},
    {"string", plain<is_string>},
    {"test", names_test},
    {"true", plain<is_true>},
    {"undefined", plain<is_undefined>},
    {"upper", in_case<true>},
};

}  // namespace

NativeFunction find_test(std::string_view name) {
  const auto* at = std::lower_bound(
      std::begin(is_table), std::end(is_table), name,
      [](const NamedFunction& entry, std::string_view wanted) { return entry.name < wanted; });
  return at != std::end(is_table) && at->name == name ? at->function : nullptr;
}

}  // namespace premise
