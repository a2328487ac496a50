// What can be walked, counted, searched and sliced.
#include <cstring>

#include "model/chat/runtime.h"
#include "model/chat/text_search.h"
#include "model/chat/unicode_text.h"

namespace premise {
namespace {

std::shared_ptr<const List> characters(Runtime& runtime, const MarkedString& text) {
  runtime.budget().take(text.size() * sizeof(Value));
  auto list = std::make_shared<List>();
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t count = character_bytes(text.bytes(), at);
    list->items.emplace_back(text.part(at, at + count));
    at += count;
  }
  return list;
}

std::shared_ptr<const List> view_elements(Runtime& runtime, const Dict& dict, DictView::What what) {
  runtime.budget().take(dict.size() * (what == DictView::What::items ? 4 : 1) * sizeof(Value));
  auto list = std::make_shared<List>();
  list->items.reserve(dict.size());
  for (const auto& [key, value] : dict.entries())
    list->items.push_back(what == DictView::What::keys     ? key
                          : what == DictView::What::values ? value
                                                           : Value::tuple({key, value}));
  return list;
}

// Python's slice.indices(): where to begin, where to stop, how far to step.
struct Steps {
  std::int64_t start = 0, stop = 0, step = 1;
  std::int64_t count() const { return IntegerRange{start, stop, step}.size(); }
};

Steps steps_of(const Value& start, const Value& stop, const Value& step, std::int64_t length) {
  Steps steps;
  if (!step.is_none()) steps.step = want_integer(step, "slice");
  if (steps.step == 0) fail({"a slice with step 0", "切片步长为 0"});
  if (steps.step == INT64_MIN) steps.step = -INT64_MAX;
  const bool back = steps.step < 0;
  const std::int64_t lowest = back ? -1 : 0, highest = back ? length - 1 : length;
  const auto bound = [&](const Value& given, std::int64_t otherwise) {
    if (given.is_none()) return otherwise;
    std::int64_t at = want_integer(given, "slice");
    if (at < 0) at += length;
    return std::clamp(at, lowest, highest);
  };
  steps.start = bound(start, back ? highest : lowest);
  steps.stop = bound(stop, back ? lowest : highest);
  return steps;
}

Value slice_text(Runtime& runtime, const MarkedString& text, const Value& start, const Value& stop,
                 const Value& step) {
  runtime.budget().take(text.size());
  const std::string_view bytes = text.bytes();
  const auto length = static_cast<std::int64_t>(count_characters(bytes));
  const Steps steps = steps_of(start, stop, step, length);
  if (steps.count() == 0) return MarkedString();
  if (steps.step == 1) {
    const auto begin = offset_of_character(bytes, static_cast<std::size_t>(steps.start));
    const auto size = offset_of_character(bytes.substr(begin),
                                          static_cast<std::size_t>(steps.stop - steps.start));
    return text.part(begin, begin + size);
  }
  runtime.budget().take(static_cast<std::size_t>(length) * sizeof(std::size_t));
  std::vector<std::size_t> offsets;
  for (std::size_t at = 0; at < bytes.size(); at += character_bytes(bytes, at))
    offsets.push_back(at);
  MarkedString out;
  for (std::int64_t i = 0, at = steps.start; i < steps.count(); ++i, at += steps.step) {
    const std::size_t begin = offsets[static_cast<std::size_t>(at)];
    out.append(text, begin, begin + character_bytes(bytes, begin));
  }
  return out;
}

}  // namespace

std::shared_ptr<const List> elements(Runtime& runtime, const Value& value) {
  if (const auto* list = value.as<std::shared_ptr<const List>>()) return *list;
  if (const auto* text = value.string()) return characters(runtime, *text);
  if (const auto* dict = value.dict()) return view_elements(runtime, *dict, DictView::What::keys);
  if (const auto* view = value.as<DictView>())
    return view_elements(runtime, *view->dict, view->what);
  auto list = std::make_shared<List>();
  if (value.is_undefined()) return list;
  if (const auto* held = value.as<std::shared_ptr<Generator>>()) {
    Generator& generator = **held;
    if (generator.failure) throw TemplateFailure(*generator.failure);
    runtime.budget().take((generator.items.size() - generator.next) * sizeof(Value));
    list->items.assign(generator.items.begin() + static_cast<std::ptrdiff_t>(generator.next),
                       generator.items.end());
    generator.next = generator.items.size();
    return list;
  }
  if (const auto* held = value.as<std::shared_ptr<const IntegerRange>>()) {
    const IntegerRange& range = **held;
    const std::int64_t size = range.size();
    runtime.budget().take(static_cast<std::size_t>(size) * sizeof(Value));
    for (std::int64_t i = 0; i < size; ++i) list->items.emplace_back(range.start + i * range.step);
    return list;
  }
  fail({"a '{}' has no elements to walk over", "“{}”不能遍历"}, value.type_name());
}

std::int64_t length_of(const Value& value) {
  if (const auto* text = value.string())
    return static_cast<std::int64_t>(count_characters(text->bytes()));
  if (const auto* list = value.list()) return static_cast<std::int64_t>(list->items.size());
  if (const auto* dict = value.dict()) return static_cast<std::int64_t>(dict->size());
  if (const auto* view = value.as<DictView>()) return static_cast<std::int64_t>(view->dict->size());
  if (const auto* range = value.as<std::shared_ptr<const IntegerRange>>()) return (*range)->size();
  if (value.is_undefined()) return 0;
  if (const auto* loop = value.as<LoopState*>())
    return static_cast<std::int64_t>((*loop)->items->items.size());
  fail({"a '{}' has no length", "“{}”没有长度"}, value.type_name());
}

bool contains(Runtime& runtime, const Value& haystack, const Value& needle) {
  if (const auto* text = haystack.string()) {
    const MarkedString& part = want_string(needle, "in");
    runtime.budget().read(text->size() + part.size());
    return find_bytes(text->bytes(), part.bytes(), 0) != std::string_view::npos;
  }
  if (const auto* dict = haystack.dict()) {
    runtime.budget().step(needle.extent().weight);
    return dict->find_key(needle) != nullptr;
  }
  const auto items = elements(runtime, haystack);
  for (const Value& item : items->items)
    if (charged_equal(runtime, item, needle)) return true;
  return false;
}

Value slice(Runtime& runtime, const Value& object, const Value& start, const Value& stop,
            const Value& step) {
  if (const auto* undefined = object.as<Undefined>()) fail_undefined(*undefined);
  if (const auto* text = object.string()) return slice_text(runtime, *text, start, stop, step);
  if (const auto* list = object.list()) {
    const Steps steps = steps_of(start, stop, step, static_cast<std::int64_t>(list->items.size()));
    const std::int64_t count = steps.count();
    runtime.budget().take(static_cast<std::size_t>(count) * sizeof(Value));
    std::vector<Value> items;
    for (std::int64_t i = 0, at = steps.start; i < count; ++i, at += steps.step)
      items.push_back(list->items[static_cast<std::size_t>(at)]);
    return list->tuple ? Value::tuple(std::move(items)) : Value::list(std::move(items));
  }
  if (const auto* held = object.as<std::shared_ptr<const IntegerRange>>()) {
    const IntegerRange& range = **held;
    const Steps steps = steps_of(start, stop, step, range.size());
    return std::make_shared<const IntegerRange>(IntegerRange{range.start + steps.start * range.step,
                                                             range.start + steps.stop * range.step,
                                                             range.step * steps.step});
  }
  fail({"a '{}' cannot be sliced", "“{}”不能切片"}, object.type_name());
}

}  // namespace premise
