#include <algorithm>
#include <map>

#include "model/chat/filter_support.h"
#include "model/chat/unicode_text.h"

namespace premise {

NativeFunction find_filter(std::string_view name) {
  for (const auto table : {text_filters(), number_filters(), sequence_filters()}) {
    const auto at = std::lower_bound(
        table.begin(), table.end(), name,
        [](const NamedFunction& entry, std::string_view wanted) { return entry.name < wanted; });
    if (at != table.end() && at->name == name) return at->function;
  }
  return nullptr;
}

AttributePath::AttributePath(const Value* path) {
  if (!path || path->is_none()) return;
  const MarkedString* text = path->string();
  if (!text) {
    parts_.push_back(*path);
    return;
  }
  const std::string_view all = text->bytes();
  for (std::size_t begin = 0; begin <= all.size();) {
    const std::size_t end = std::min(all.find('.', begin), all.size());
    const std::string_view part = all.substr(begin, end - begin);
    const bool number =
        !part.empty() && part.size() < 10 && part.find_first_not_of("0123456789") == part.npos;
    parts_.push_back(number ? Value(std::int64_t{std::stoi(std::string(part))})
                            : Value::text(std::string(part)));
    begin = end + 1;
  }
}

Value AttributePath::get(Runtime& runtime, Value object, const Value* otherwise) const {
  for (const Value& part : parts_) {
    object = runtime.item(object, part);
    if (otherwise && object.is_undefined()) object = *otherwise;
  }
  return object;
}

Value without_case(Runtime& runtime, Value value) {
  const MarkedString* text = value.string();
  if (!text) return value;
  runtime.budget().take(text->size());
  return lower_case(*text);
}

// A merge sort of our own: keys may have no order, which throws, and NaN makes the order
// inconsistent, for which the library promises nothing.
std::vector<Value> sorted(Runtime& runtime, std::vector<Value> values,
                          const std::function<Value(const Value&)>& key, bool reverse) {
  struct Row {
    Value key;
    std::size_t index;
  };
  std::vector<Row> rows;
  runtime.budget().take(values.size() * 2 * sizeof(Row));
  for (std::size_t i = 0; i < values.size(); ++i) rows.push_back({key(values[i]), i});
  const auto before = [&](const Row& a, const Row& b) {
    return reverse ? charged_less(runtime, b.key, a.key) : charged_less(runtime, a.key, b.key);
  };
  std::vector<Row> merged(rows.size());
  for (std::size_t width = 1; width < rows.size(); width *= 2) {
    for (std::size_t begin = 0; begin < rows.size(); begin += 2 * width) {
      const std::size_t middle = std::min(begin + width, rows.size());
      const std::size_t end = std::min(begin + 2 * width, rows.size());
      std::size_t left = begin, right = middle;
      for (std::size_t at = begin; at < end; ++at) {
        const bool take_right = left == middle || (right < end && before(rows[right], rows[left]));
        merged[at] = rows[take_right ? right++ : left++];
      }
    }
    rows.swap(merged);
  }
  std::vector<Value> out;
  out.reserve(rows.size());
  for (const Row& row : rows) out.push_back(std::move(values[row.index]));
  return out;
}

}  // namespace premise
