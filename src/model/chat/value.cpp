#include "model/chat/value.h"

#include <cmath>
#include <functional>

#include "model/chat/limits.h"

namespace premise {
namespace {

// What holds `inner` besides what it holds already.
Extent around(Extent outer, Extent inner) {
  outer.depth = std::max(outer.depth, inner.depth + 1);
  outer.weight += inner.weight;
  if (outer.depth > TemplateLimits::value_depth)
    fail({"lists and dictionaries nested beyond {} levels", "列表和字典的嵌套超过 {} 层"},
         int{TemplateLimits::value_depth});
  if (outer.weight > TemplateLimits::value_weight)
    fail({"a value of more than {} elements", "一个值包含超过 {} 个元素"},
         std::uint64_t{TemplateLimits::value_weight});
  return outer;
}

Extent around(const std::vector<Value>& items) {
  Extent extent{1, 1};
  for (const Value& item : items) extent = around(extent, item.extent());
  return extent;
}

std::shared_ptr<const List> make_list(std::vector<Value> items, bool tuple) {
  const Extent extent = around(items);
  return std::make_shared<const List>(List{std::move(items), tuple, extent});
}

// Of equal numbers, whatever their type, equal.
std::size_t number_hash(const Value& value) {
  std::int64_t storage = 0;
  if (const auto* integer = integer_of(value, storage)) return std::hash<std::int64_t>{}(*integer);
  const double real = real_of(value);
  if (real == std::floor(real) && std::abs(real) < 0x1p62)
    return std::hash<std::int64_t>{}(static_cast<std::int64_t>(real));
  return std::hash<double>{}(real);
}

bool equal_lists(const List& a, const List& b) {
  return a.tuple == b.tuple &&
         std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(),
                    [](const Value& x, const Value& y) { return equal(x, y); });
}

bool equal_dicts(const Dict& a, const Dict& b) {
  if (a.size() != b.size()) return false;
  for (const auto& [key, value] : a.entries()) {
    const Value* other = b.find_key(key);
    if (!other || !equal(value, *other)) return false;
  }
  return true;
}

bool less_lists(const List& a, const List& b) {
  const std::size_t common = std::min(a.items.size(), b.items.size());
  for (std::size_t i = 0; i < common; ++i)
    if (!equal(a.items[i], b.items[i])) return less(a.items[i], b.items[i]);
  return a.items.size() < b.items.size();
}

// Python compares an integer with a float exactly; a double holds 53 bits of the 63.
int compare_numbers(const Value& a, const Value& b) {
  std::int64_t x = 0, y = 0;
  const auto* left = integer_of(a, x);
  const auto* right = integer_of(b, y);
  if (left && right) return *left < *right ? -1 : *left > *right;
  const auto p = left ? static_cast<long double>(*left) : static_cast<long double>(real_of(a));
  const auto q = right ? static_cast<long double>(*right) : static_cast<long double>(real_of(b));
  if (std::isnan(p) || std::isnan(q)) return 2;
  return p < q ? -1 : p > q;
}

}  // namespace

Value::Value(MarkedString text) : storage_(std::make_shared<const MarkedString>(std::move(text))) {}
Value::Value(Dict value) : storage_(std::make_shared<const Dict>(std::move(value))) {}

Value Value::list(std::vector<Value> items) { return make_list(std::move(items), false); }
Value Value::tuple(std::vector<Value> items) { return make_list(std::move(items), true); }
Value Value::generator(std::vector<Value> items, std::shared_ptr<const TemplateFailure> failure) {
  const Extent extent = around(items);
  return std::make_shared<Generator>(Generator{std::move(items), 0, extent, std::move(failure)});
}

const MarkedString* Value::string() const {
  const auto* held = as<String>();
  return held ? held->get() : nullptr;
}
const List* Value::list() const {
  const auto* held = as<std::shared_ptr<const List>>();
  return held ? held->get() : nullptr;
}
const Dict* Value::dict() const {
  const auto* held = as<std::shared_ptr<const Dict>>();
  return held ? held->get() : nullptr;
}

bool Value::is_number() const { return as<bool>() || as<std::int64_t>() || as<double>(); }

bool Value::truth() const {
  if (const auto* held = as<bool>()) return *held;
  if (const auto* held = as<std::int64_t>()) return *held != 0;
  if (const auto* held = as<double>()) return *held != 0;
  if (const auto* held = string()) return !held->empty();
  if (const auto* held = list()) return !held->items.empty();
  if (const auto* held = dict()) return held->size() != 0;
  if (const auto* held = as<DictView>()) return held->dict->size() != 0;
  if (const auto* held = as<std::shared_ptr<const IntegerRange>>()) return (*held)->size() != 0;
  return !is_none() && !is_undefined();
}

Extent Value::extent() const {
  if (const auto* held = string()) return {0, 1 + held->size() / 64};
  if (const auto* held = list()) return held->extent;
  if (const auto* held = dict()) return held->extent();
  if (const auto* held = as<DictView>()) return held->dict->extent();
  if (const auto* held = as<std::shared_ptr<Generator>>()) return (*held)->extent;
  if (const auto* held = as<std::shared_ptr<const BoundMethod>>())
    return around(Extent{1, 1}, (*held)->object.extent());
  return {};
}

std::string_view Value::type_name() const {
  constexpr std::string_view names[] = {"Undefined",  "NoneType",    "bool",      "int",
                                        "float",      "str",         "list",      "dict",
                                        "dict_items", "range",       "generator", "method",
                                        "Namespace",  "LoopContext", "Macro",     "function"};
  static_assert(std::size(names) == std::variant_size_v<Storage>);
  if (const auto* held = list(); held && held->tuple) return "tuple";
  if (const auto* held = as<DictView>(); held && held->what != DictView::What::items)
    return held->what == DictView::What::keys ? "dict_keys" : "dict_values";
  return names[storage_.index()];
}

std::size_t Dict::position(const Value& key, std::size_t hash) const {
  if (index_.empty()) {
    for (std::size_t i = 0; i < entries_.size(); ++i)
      if (equal(entries_[i].first, key)) return i;
    return entries_.size();
  }
  for (auto [at, end] = index_.equal_range(hash); at != end; ++at)
    if (equal(entries_[at->second].first, key)) return at->second;
  return entries_.size();
}

const Value* Dict::find_key(const Value& key) const {
  const std::size_t at = position(key, hash_of(key));
  return at < entries_.size() ? &entries_[at].second : nullptr;
}

const Value* Dict::find(std::string_view key) const {
  if (index_.empty()) {
    for (const auto& [name, value] : entries_)
      if (const auto* text = name.string(); text && text->bytes() == key) return &value;
    return nullptr;
  }
  for (auto [at, end] = index_.equal_range(std::hash<std::string_view>{}(key)); at != end; ++at) {
    const auto& [name, value] = entries_[at->second];
    if (const auto* text = name.string(); text && text->bytes() == key) return &value;
  }
  return nullptr;
}

void Dict::insert(Value key, Value value) {
  const std::size_t hash = hash_of(key);
  extent_ = around(around(extent_, key.extent()), value.extent());
  const std::size_t at = position(key, hash);
  if (at < entries_.size()) {
    entries_[at].second = std::move(value);
    return;
  }
  entries_.emplace_back(std::move(key), std::move(value));
  if (!index_.empty()) {
    index_.emplace(hash, at);
  } else if (entries_.size() >= indexed_from) {
    for (std::size_t i = 0; i < entries_.size(); ++i) index_.emplace(hash_of(entries_[i].first), i);
  }
}

std::int64_t IntegerRange::size() const {
  // Unsigned, since stop - start may overflow.
  const auto distance = [](std::int64_t from, std::int64_t to) {
    return static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
  };
  if (step > 0 ? start >= stop : start <= stop) return 0;
  const std::uint64_t span = step > 0 ? distance(start, stop) : distance(stop, start);
  const std::uint64_t stride =
      step > 0 ? static_cast<std::uint64_t>(step) : 0 - static_cast<std::uint64_t>(step);
  const std::uint64_t count = (span - 1) / stride + 1;
  return count > INT64_MAX ? INT64_MAX : static_cast<std::int64_t>(count);
}

const std::int64_t* integer_of(const Value& value, std::int64_t& storage) {
  if (const auto* held = value.as<std::int64_t>()) return held;
  const auto* held = value.as<bool>();
  if (!held) return nullptr;
  storage = *held;
  return &storage;
}

double real_of(const Value& value) {
  if (const auto* held = value.as<double>()) return *held;
  std::int64_t storage = 0;
  const auto* integer = integer_of(value, storage);
  return integer ? static_cast<double>(*integer) : 0;
}

bool equal(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) return compare_numbers(a, b) == 0;
  if (a.storage().index() != b.storage().index()) return false;
  if (const auto* text = a.string()) return text->bytes() == b.string()->bytes();
  if (const auto* items = a.list()) return equal_lists(*items, *b.list());
  if (const auto* dict = a.dict()) return equal_dicts(*dict, *b.dict());
  if (a.is_none() || a.is_undefined()) return true;
  if (const auto* range = a.as<std::shared_ptr<const IntegerRange>>()) {
    const IntegerRange& x = **range;
    const IntegerRange& y = **b.as<std::shared_ptr<const IntegerRange>>();
    const std::int64_t size = x.size();
    return size == y.size() &&
           (size == 0 || (x.start == y.start && (size == 1 || x.step == y.step)));
  }
  if (const auto* view = a.as<DictView>()) {
    const auto& other = *b.as<DictView>();
    if (view->what != other.what) return false;
    // Python compares keys and items as sets, and values by identity of the view.
    if (view->what == DictView::What::items) return equal_dicts(*view->dict, *other.dict);
    if (view->what == DictView::What::values || view->dict->size() != other.dict->size())
      return false;
    for (const auto& [key, value] : view->dict->entries())
      if (!other.dict->find_key(key)) return false;
    return true;
  }
  if (const auto* macro = a.as<MacroRef>()) {
    const auto& other = *b.as<MacroRef>();
    return macro->body == other.body && macro->frame == other.frame;
  }
  if (const auto* held = a.as<Namespace*>()) return *held == *b.as<Namespace*>();
  if (const auto* held = a.as<LoopState*>()) return *held == *b.as<LoopState*>();
  if (const auto* held = a.as<Builtin>()) return *held == *b.as<Builtin>();
  if (const auto* held = a.as<std::shared_ptr<Generator>>())
    return *held == *b.as<std::shared_ptr<Generator>>();
  return false;
}

bool less(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) return compare_numbers(a, b) == -1;
  if (const auto *x = a.string(), *y = b.string(); x && y) {
    // UTF-8 sorts as its code points do.
    return x->bytes() < y->bytes();
  }
  if (const auto *x = a.list(), *y = b.list(); x && y && x->tuple == y->tuple)
    return less_lists(*x, *y);
  fail({"'{}' and '{}' have no order", "“{}”与“{}”无法比较大小"}, a.type_name(), b.type_name());
}

bool hashable(const Value& key) {
  if (const auto* items = key.list(); items && items->tuple)
    return std::all_of(items->items.begin(), items->items.end(), hashable);
  return !key.list() && !key.dict() && !key.as<DictView>();
}

std::size_t hash_of(const Value& key) {
  if (key.is_number()) return number_hash(key);
  if (const auto* text = key.string()) return std::hash<std::string_view>{}(text->bytes());
  if (const auto* items = key.list(); items && items->tuple) {
    std::size_t hash = 0x9E3779B97F4A7C15u;
    for (const Value& item : items->items) hash = hash * 31 + hash_of(item);
    return hash;
  }
  if (!hashable(key))
    fail({"'{}' cannot be a key or a member of a set", "“{}”不能作为键或集合成员"},
         key.type_name());
  return key.storage().index();
}

}  // namespace premise
