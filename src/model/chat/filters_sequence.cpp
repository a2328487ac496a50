// Filters over what has elements. Those that jinja2 computes while somebody walks the result are
// computed at once here; a failure on the way is kept for whoever walks that far. No template can
// see the difference, since values never change.
#include <algorithm>
#include <unordered_map>

#include "model/chat/filter_support.h"
#include "model/chat/text_operations.h"

namespace premise {
namespace {

using Given = const Arguments&;

bool is_set(const Value* flag) { return flag && flag->truth(); }

// A filter whose failure is met by whoever walks its result, and by nobody where nobody does.
template <NativeFunction filter>
Value deferred(Runtime& runtime, const Value& value, Given given) {
  try {
    return filter(runtime, value, given);
  } catch (const TemplateFailure& failure) {
    return Value::generator({}, std::make_shared<const TemplateFailure>(failure));
  }
}

Value length(Runtime& runtime, const Value& value, Given given) {
  given.none("length");
  if (const auto* text = value.string()) runtime.budget().read(text->size());
  return length_of(value);
}

Value first(Runtime& runtime, const Value& value, Given given) {
  given.none("first");
  if (const auto* text = value.string())
    return text->empty() ? Value(Undefined{})
                         : Value(text->part(0, character_bytes(text->bytes(), 0)));
  if (const auto* held = value.as<std::shared_ptr<Generator>>()) {
    Generator& generator = **held;
    if (generator.next < generator.items.size()) return generator.items[generator.next++];
    if (generator.failure) throw TemplateFailure(*generator.failure);
    return Undefined{};
  }
  const auto items = elements(runtime, value);
  return items->items.empty() ? Value(Undefined{}) : items->items.front();
}

Value last(Runtime& runtime, const Value& value, Given given) {
  given.none("last");
  if (value.as<std::shared_ptr<Generator>>())
    fail({"a generator has no last element; make it a list first",
          "生成器没有最后一个元素，请先转换为 list"});
  const auto items = elements(runtime, value);
  return items->items.empty() ? Value(Undefined{}) : items->items.back();
}

Value list(Runtime& runtime, const Value& value, Given given) {
  given.none("list");
  return Value::list(elements(runtime, value)->items);
}

Value reverse(Runtime& runtime, const Value& value, Given given) {
  given.none("reverse");
  if (const auto* text = value.string()) {
    runtime.budget().take(text->size() * 9);
    return reversed(*text);
  }
  std::vector<Value> items = elements(runtime, value)->items;
  std::reverse(items.begin(), items.end());
  if (value.as<std::shared_ptr<Generator>>()) return Value::list(std::move(items));
  return Value::generator(std::move(items));
}

std::function<Value(const Value&)> key_of(Runtime& runtime, const Value* attribute,
                                          const Value* heed_case) {
  const bool heed = is_set(heed_case);
  return [&runtime, path = AttributePath(attribute), heed](const Value& item) {
    Value key = path.get(runtime, item);
    return heed ? key : without_case(runtime, std::move(key));
  };
}

Value sort(Runtime& runtime, const Value& value, Given given) {
  const auto [reverse, heed_case, attribute] =
      given.bind<3>("sort", {"reverse", "case_sensitive", "attribute"});
  std::vector<std::function<Value(const Value&)>> keys;
  const MarkedString* names = attribute ? attribute->string() : nullptr;
  if (names && names->bytes().find(',') != std::string::npos) {
    const MarkedString comma(",", true);
    for (const MarkedString& name : split(runtime.budget(), *names, &comma, -1, false)) {
      const Value one = name;
      keys.push_back(key_of(runtime, &one, heed_case));
    }
  } else {
    keys.push_back(key_of(runtime, attribute, heed_case));
  }
  const auto key = [&keys](const Value& item) {
    // A list even of one, since lists pass over what is equal (None, undefined) without ordering
    // it.
    std::vector<Value> parts;
    for (const auto& part : keys) parts.push_back(part(item));
    return Value::list(std::move(parts));
  };
  return Value::list(sorted(runtime, elements(runtime, value)->items, key, is_set(reverse)));
}

Value dictsort(Runtime& runtime, const Value& value, Given given) {
  const auto [heed_case, by, reverse] =
      given.bind<3>("dictsort", {"case_sensitive", "by", "reverse"});
  if (const auto* undefined = value.as<Undefined>()) fail_undefined(*undefined);
  const Dict* dict = value.dict();
  if (!dict) fail({"dictsort of a '{}'", "不能对“{}”使用 dictsort"}, value.type_name());
  const std::string what = by ? want_string(*by, "dictsort").bytes() : "key";
  if (what != "key" && what != "value")
    fail({"dictsort sorts by key or by value", "dictsort 只能按 key 或 value 排序"});
  const std::size_t place = what == "key" ? 0 : 1;
  const bool heed = is_set(heed_case);
  std::vector<Value> pairs;
  runtime.budget().take(dict->size() * 4 * sizeof(Value));
  for (const auto& [key, held] : dict->entries()) pairs.push_back(Value::tuple({key, held}));
  const auto key = [&](const Value& pair) {
    Value part = pair.list()->items[place];
    return heed ? part : without_case(runtime, std::move(part));
  };
  return Value::list(sorted(runtime, std::move(pairs), key, is_set(reverse)));
}

template <bool largest>
Value extreme(Runtime& runtime, const Value& value, Given given) {
  const auto [heed_case, attribute] = given.bind<2>("min and max", {"case_sensitive", "attribute"});
  const auto key = key_of(runtime, attribute, heed_case);
  const auto items = elements(runtime, value);
  if (items->items.empty()) return Undefined{};
  const Value* best = &items->items[0];
  Value best_key = key(*best);
  for (std::size_t i = 1; i < items->items.size(); ++i) {
    Value candidate = key(items->items[i]);
    const bool better = largest ? charged_less(runtime, best_key, candidate)
                                : charged_less(runtime, candidate, best_key);
    if (!better) continue;
    best = &items->items[i];
    best_key = std::move(candidate);
  }
  return *best;
}

Value sum(Runtime& runtime, const Value& value, Given given) {
  const auto [attribute, start] = given.bind<2>("sum", {"attribute", "start"});
  const AttributePath path(attribute);
  Value total = start ? *start : Value(0);
  if (total.string()) fail({"sum of strings", "sum 不能用于字符串"});
  const auto items = elements(runtime, value);
  for (const Value& item : items->items)
    total = compute(runtime, Arithmetic::add, total, path.get(runtime, item));
  return total;
}

Value items_of(Runtime& runtime, const Value& value, Given given) {
  given.none("items");
  if (value.is_undefined()) return Value::generator({});
  const auto* dict = value.as<std::shared_ptr<const Dict>>();
  if (!dict) fail({"items of a '{}'", "不能对“{}”使用 items"}, value.type_name());
  return Value::generator(elements(runtime, DictView{*dict, DictView::What::items})->items);
}

Value unique(Runtime& runtime, const Value& value, Given given) {
  const auto [heed_case, attribute] = given.bind<2>("unique", {"case_sensitive", "attribute"});
  const auto key = key_of(runtime, attribute, heed_case);
  Dict seen;
  std::vector<Value> kept;
  const auto items = elements(runtime, value);
  for (const Value& item : items->items) {
    Value name = key(item);
    runtime.budget().take(2 * sizeof(Value));
    runtime.budget().step(name.extent().weight);
    if (seen.find_key(name)) continue;
    seen.insert(std::move(name), true);
    kept.push_back(item);
  }
  return Value::generator(std::move(kept));
}

Value batch(Runtime& runtime, const Value& value, Given given) {
  const auto [count, fill] = given.bind<2>("batch", {"linecount", "fill_with"}, 1);
  const std::int64_t size = want_integer(*count, "batch");
  if (size < 1 || size > TemplateLimits::range)
    fail({"batch of {} elements", "batch 的大小为 {}，超出范围"}, size);
  std::vector<Value> rows, row;
  const auto items = elements(runtime, value);
  runtime.budget().take((items->items.size() + static_cast<std::size_t>(size)) * sizeof(Value));
  for (const Value& item : items->items) {
    if (static_cast<std::int64_t>(row.size()) == size)
      rows.push_back(Value::list(std::exchange(row, {})));
    row.push_back(item);
  }
  if (!row.empty()) {
    if (fill && !fill->is_none()) row.resize(static_cast<std::size_t>(size), *fill);
    rows.push_back(Value::list(std::move(row)));
  }
  return Value::generator(std::move(rows));
}

Value slices(Runtime& runtime, const Value& value, Given given) {
  const auto [count, fill] = given.bind<2>("slice", {"slices", "fill_with"}, 1);
  const std::int64_t number = want_integer(*count, "slice");
  if (number < 1 || number > TemplateLimits::range)
    fail({"slice into {} parts", "slice 的份数为 {}，超出范围"}, number);
  const auto items = elements(runtime, value);
  const auto length = static_cast<std::int64_t>(items->items.size());
  runtime.budget().take(static_cast<std::size_t>(length + number) * sizeof(Value) * 2);
  const std::int64_t each = length / number, longer = length % number;
  std::vector<Value> parts;
  std::int64_t at = 0;
  for (std::int64_t i = 0; i < number; ++i) {
    std::vector<Value> part;
    const std::int64_t end = at + each + (i < longer);
    for (; at < end; ++at) part.push_back(items->items[static_cast<std::size_t>(at)]);
    if (fill && !fill->is_none() && i >= longer) part.push_back(*fill);
    parts.push_back(Value::list(std::move(part)));
  }
  return Value::generator(std::move(parts));
}

Value map(Runtime& runtime, const Value& value, Given given) {
  if (!value.truth()) return Value::generator({});
  const auto items = elements(runtime, value);
  std::vector<Value> out;
  runtime.budget().take(items->items.size() * sizeof(Value));
  if (given.positional.empty()) {
    const auto [attribute, otherwise] = given.bind<2>("map", {"attribute", "default"}, 1);
    const AttributePath path(attribute);
    const bool has_default = otherwise && !otherwise->is_none();
    for (const Value& item : items->items)
      out.push_back(path.get(runtime, item, has_default ? otherwise : nullptr));
    return Value::generator(std::move(out));
  }
  const std::string& name = want_string(given.positional[0], "map").bytes();
  const Arguments rest{{given.positional.begin() + 1, given.positional.end()}, given.named};
  for (const Value& item : items->items) {
    runtime.budget().step();
    out.push_back(runtime.filter(name, item, rest));
  }
  return Value::generator(std::move(out));
}

template <bool keep, bool by_attribute>
Value select(Runtime& runtime, const Value& value, Given given) {
  if (!value.truth()) return Value::generator({});
  const std::size_t skip = by_attribute ? 1 : 0;
  if (given.positional.size() < skip)
    fail({"selectattr and rejectattr need an attribute", "selectattr 和 rejectattr 需要属性名"});
  const AttributePath path(by_attribute ? &given.positional[0] : nullptr);
  const bool has_test = given.positional.size() > skip;
  Arguments rest;
  rest.named = given.named;
  if (has_test)
    rest.positional.assign(given.positional.begin() + static_cast<std::ptrdiff_t>(skip) + 1,
                           given.positional.end());
  const auto items = elements(runtime, value);
  runtime.budget().take(items->items.size() * sizeof(Value));
  std::vector<Value> kept;
  for (const Value& item : items->items) {
    runtime.budget().step();
    const Value looked = path.get(runtime, item);
    const bool holds =
        has_test ? runtime.test(want_string(given.positional[skip], "select").bytes(), looked, rest)
                 : looked.truth();
    if (holds == keep) kept.push_back(item);
  }
  return Value::generator(std::move(kept));
}

constexpr NamedFunction sequence_table[] = {
    {"batch", deferred<batch>},
    {"count", length},
    {"dictsort", dictsort},
    {"first", first},
    {"items", deferred<items_of>},
    {"last", last},
    {"length", length},
    {"list", list},
    {"map", deferred<map>},
    {"max", extreme<true>},
    {"min", extreme<false>},
    {"reject", deferred<select<false, false>>},
    {"rejectattr", deferred<select<false, true>>},
    {"reverse", reverse},
    {"select", deferred<select<true, false>>},
    {"selectattr", deferred<select<true, true>>},
    {"slice", deferred<slices>},
    {"sort", sort},
    {"sum", sum},
    {"unique", deferred<unique>},
};

}  // namespace

std::span<const NamedFunction> sequence_filters() { return sequence_table; }

}  // namespace premise
