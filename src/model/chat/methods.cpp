// Methods of strings, lists and dictionaries, as Python has them.
#include <algorithm>
#include <span>

#include "model/chat/python_text.h"
#include "model/chat/runtime.h"
#include "model/chat/text_format.h"
#include "model/chat/text_operations.h"
#include "model/chat/text_search.h"

namespace premise {
namespace {

using Function = Value(Runtime&, const Value&, const Arguments&);

std::int64_t integer_or(const Value* given, std::int64_t otherwise, std::string_view what) {
  return given && !given->is_none() ? want_integer(*given, what) : otherwise;
}

const MarkedString* string_or_null(const Value* given, std::string_view what) {
  return given && !given->is_none() ? &want_string(*given, what) : nullptr;
}

Value list_of(std::vector<MarkedString> parts) {
  std::vector<Value> items;
  items.reserve(parts.size());
  for (auto& part : parts) items.emplace_back(std::move(part));
  return Value::list(std::move(items));
}

template <MarkedString (*map)(const MarkedString&)>
Value map_text(Runtime& runtime, const Value& self, const Arguments& given) {
  given.none("str method");
  runtime.budget().take(self.string()->size());
  return map(*self.string());
}

template <bool left, bool right>
Value strip(Runtime& runtime, const Value& self, const Arguments& given) {
  const auto [characters] = given.bind<1>("strip", {"chars"});
  const MarkedString* set = string_or_null(characters, "strip");
  runtime.budget().take(self.string()->size());
  runtime.budget().step(set ? self.string()->size() / 16 * (1 + set->size() / 64) : 0);
  return stripped(*self.string(), set, left, right);
}

template <bool from_right>
Value split_text(Runtime& runtime, const Value& self, const Arguments& given) {
  const auto [separator, most] = given.bind<2>("split", {"sep", "maxsplit"});
  return list_of(split(runtime.budget(), *self.string(), string_or_null(separator, "split"),
                       integer_or(most, -1, "split"), from_right));
}

Value splitlines(Runtime& runtime, const Value& self, const Arguments& given) {
  const auto [keep] = given.bind<1>("splitlines", {"keepends"});
  return list_of(split_lines(runtime.budget(), *self.string(), keep && keep->truth()));
}

// The part of a text that start and end arguments leave, in bytes.
TextRange window(const MarkedString& text, const Value* start, const Value* end) {
  if (!start && !end) return {0, text.size()};
  const auto length = static_cast<std::int64_t>(count_characters(text.bytes()));
  const auto bound = [&](const Value* given, std::int64_t otherwise) {
    std::int64_t at = integer_or(given, otherwise, "str method");
    return at < 0 ? std::max<std::int64_t>(at + length, 0) : at;
  };
  const std::int64_t from = bound(start, 0), to = std::min(bound(end, length), length);
  if (from > to) return {text.size() + 1, 0};  // nothing is found there, not even ""
  return {offset_of_character(text.bytes(), static_cast<std::size_t>(from)),
          offset_of_character(text.bytes(), static_cast<std::size_t>(to))};
}

template <bool at_end>
Value starts_or_ends(Runtime& runtime, const Value& self, const Arguments& given) {
  const auto name = at_end ? "endswith" : "startswith";
  const auto [part, start, end] = given.bind<3>(name, {"prefix", "start", "end"}, 1);
  const MarkedString& text = *self.string();
  const TextRange span = window(text, start, end);
  if (span.begin > text.size()) return false;
  const auto within = std::string_view(text.bytes()).substr(span.begin, span.end - span.begin);
  const auto fits = [&](const Value& candidate) {
    const std::string& wanted = want_string(candidate, name).bytes();
    runtime.budget().read(wanted.size());
    return at_end ? within.ends_with(wanted) : within.starts_with(wanted);
  };
  const List* several = part->list();
  if (!several || !several->tuple) return fits(*part);
  return std::any_of(several->items.begin(), several->items.end(), fits);
}

std::size_t find_last(std::string_view text, std::string_view part) {
  if (part.empty()) return text.size();
  std::size_t found = text.npos;
  for (std::size_t at = 0; (at = find_bytes(text, part, at)) != text.npos; ++at) found = at;
  return found;
}

template <bool last, bool must>
Value find(Runtime& runtime, const Value& self, const Arguments& given) {
  const auto [part, start, end] = given.bind<3>("find", {"sub", "start", "end"}, 1);
  const MarkedString& text = *self.string();
  const MarkedString& wanted = want_string(*part, "find");
  runtime.budget().read(text.size() * (last ? 1 + wanted.size() / 8 : 1));
  const TextRange span = window(text, start, end);
  if (span.begin <= text.size()) {
    const auto within = std::string_view(text.bytes()).substr(span.begin, span.end - span.begin);
    const std::size_t at =
        last ? find_last(within, wanted.bytes()) : find_bytes(within, wanted.bytes(), 0);
    if (at != within.npos)
      return static_cast<std::int64_t>(
          count_characters(std::string_view(text.bytes()).substr(0, span.begin + at)));
  }
  if (must) fail({"substring not found", "未找到子串"});
  return -1;
}

Value count_text(Runtime& runtime, const Value& self, const Arguments& given) {
  const auto [part, start, end] = given.bind<3>("count", {"sub", "start", "end"}, 1);
  const MarkedString& text = *self.string();
  const std::string& wanted = want_string(*part, "count").bytes();
  runtime.budget().read(text.size());
  const TextRange span = window(text, start, end);
  if (span.begin > text.size()) return 0;
  const auto within = std::string_view(text.bytes()).substr(span.begin, span.end - span.begin);
  if (wanted.empty()) return static_cast<std::int64_t>(count_characters(within)) + 1;
  std::int64_t count = 0;
  for (std::size_t at = 0; (at = find_bytes(within, wanted, at)) != within.npos;
       at += wanted.size())
    ++count;
  return count;
}

Value replace(Runtime& runtime, const Value& self, const Arguments& given) {
  const auto [old, with, count] = given.bind<3>("replace", {"old", "new", "count"}, 2);
  return replaced(runtime.budget(), *self.string(), want_string(*old, "replace"),
                  want_string(*with, "replace"), integer_or(count, -1, "replace"));
}

Value join(Runtime& runtime, const Value& self, const Arguments& given) {
  const auto [iterable] = given.bind<1>("join", {"iterable"}, 1);
  const auto items = elements(runtime, *iterable);
  MarkedString out;
  for (std::size_t i = 0; i < items->items.size(); ++i) {
    const MarkedString& part = want_string(items->items[i], "join");
    runtime.budget().take(part.size() + self.string()->size());
    if (i > 0) out.append(*self.string());
    out.append(part);
  }
  return out;
}

template <int where>
Value pad(Runtime& runtime, const Value& self, const Arguments& given) {
  const auto [width, fill] = given.bind<2>("center", {"width", "fillchar"}, 1);
  return padded(runtime.budget(), *self.string(), want_integer(*width, "center"),
                fill ? want_string(*fill, "center") : MarkedString(" ", true), where);
}

Value zfill(Runtime& runtime, const Value& self, const Arguments& given) {
  const auto [width] = given.bind<1>("zfill", {"width"}, 1);
  const MarkedString& text = *self.string();
  const bool sign = text.bytes().starts_with('-') || text.bytes().starts_with('+');
  MarkedString out = text.part(0, sign);
  out.append(padded(runtime.budget(), text.part(sign, text.size()),
                    want_integer(*width, "zfill") - sign, MarkedString("0", true), 1));
  return out;
}

template <bool last>
Value partition(Runtime& runtime, const Value& self, const Arguments& given) {
  const auto [separator] = given.bind<1>("partition", {"sep"}, 1);
  const MarkedString& text = *self.string();
  const MarkedString& wanted = want_string(*separator, "partition");
  if (wanted.empty()) fail({"split at an empty separator", "分隔符为空"});
  runtime.budget().take(text.size() * (last ? 1 + wanted.size() / 8 : 1));
  const std::size_t at =
      last ? find_last(text.bytes(), wanted.bytes()) : find_bytes(text.bytes(), wanted.bytes(), 0);
  const Value empty = MarkedString();
  if (at == std::string_view::npos)
    return last ? Value::tuple({empty, empty, self}) : Value::tuple({self, empty, empty});
  return Value::tuple(
      {text.part(0, at), Value(wanted), text.part(at + wanted.size(), text.size())});
}

template <bool suffix>
Value remove_affix(Runtime& runtime, const Value& self, const Arguments& given) {
  const auto [affix] = given.bind<1>("removeprefix", {"prefix"}, 1);
  const MarkedString& text = *self.string();
  const std::string& wanted = want_string(*affix, "removeprefix").bytes();
  runtime.budget().take(text.size());
  if (suffix && text.bytes().ends_with(wanted)) return text.part(0, text.size() - wanted.size());
  if (!suffix && text.bytes().starts_with(wanted)) return text.part(wanted.size(), text.size());
  return self;
}

Value format(Runtime& runtime, const Value& self, const Arguments& given) {
  return brace_format(runtime, *self.string(), given);
}

// str.isalpha and its kin: not empty, and every character is one.
template <bool (*is_one)(char32_t)>
Value all_characters(Runtime& runtime, const Value& self, const Arguments& given) {
  given.none("str method");
  const std::string& text = self.string()->bytes();
  runtime.budget().read(text.size());
  for (std::size_t at = 0; at < text.size(); at += character_bytes(text, at))
    if (!is_one(character_at(text, at))) return false;
  return !text.empty();
}

bool is_alphanumeric(char32_t code) { return is_alphabetic(code) || is_decimal(code); }

// str.islower and isupper: some letter has a case, and none the other.
template <bool (*wanted)(char32_t), bool (*other)(char32_t)>
Value one_case(Runtime& runtime, const Value& self, const Arguments& given) {
  given.none("str method");
  const std::string& text = self.string()->bytes();
  runtime.budget().read(text.size());
  bool found = false;
  for (std::size_t at = 0; at < text.size(); at += character_bytes(text, at)) {
    const char32_t code = character_at(text, at);
    if (other(code)) return false;
    found |= wanted(code);
  }
  return found;
}

Value is_ascii(Runtime& runtime, const Value& self, const Arguments& given) {
  given.none("isascii");
  const std::string& text = self.string()->bytes();
  runtime.budget().read(text.size());
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

Value get(Runtime& runtime, const Value& self, const Arguments& given) {
  const auto [key, otherwise] = given.bind<2>("get", {"key", "default"}, 1);
  runtime.budget().step(key->extent().weight);
  const Value* value = self.dict()->find_key(*key);
  return value ? *value : otherwise ? *otherwise : Value(None{});
}

template <DictView::What what>
Value view(Runtime&, const Value& self, const Arguments& given) {
  given.none("dict method");
  return DictView{*self.as<std::shared_ptr<const Dict>>(), what};
}

Value copy(Runtime&, const Value& self, const Arguments& given) {
  given.none("copy");
  return self;
}

Value count_items(Runtime& runtime, const Value& self, const Arguments& given) {
  const auto [wanted] = given.bind<1>("count", {"value"}, 1);
  std::int64_t count = 0;
  const auto items = elements(runtime, self);
  for (const Value& item : items->items) count += charged_equal(runtime, item, *wanted);
  return count;
}

Value index_of(Runtime& runtime, const Value& self, const Arguments& given) {
  const auto [wanted, start, stop] = given.bind<3>("index", {"value", "start", "stop"}, 1);
  const auto list = elements(runtime, self);
  const auto& items = list->items;
  const auto length = static_cast<std::int64_t>(items.size());
  const auto bound = [&](const Value* at, std::int64_t otherwise) {
    const std::int64_t value = integer_or(at, otherwise, "index");
    return std::clamp<std::int64_t>(value < 0 ? value + length : value, 0, length);
  };
  for (std::int64_t i = bound(start, 0), end = bound(stop, length); i < end; ++i)
    if (charged_equal(runtime, items[static_cast<std::size_t>(i)], *wanted)) return i;
  fail({"the value is not in the list", "列表中没有该值"});
}

constexpr NamedFunction string_methods[] = {
    {"capitalize", map_text<capitalized>},
    {"casefold", map_text<lower_case>},
    {"center", pad<0>},
    {"count", count_text},
    {"endswith", starts_or_ends<true>},
    {"find", find<false, false>},
    {"format", format},
    {"index", find<false, true>},
    {"isalnum", all_characters<is_alphanumeric>},
    {"isalpha", all_characters<is_alphabetic>},
    {"isascii", is_ascii},
    {"isdecimal", all_characters<is_decimal>},
    {"isdigit", all_characters<is_decimal>},
    {"islower", one_case<is_lower, is_upper>},
    {"isnumeric", all_characters<is_decimal>},
    {"isspace", all_characters<is_space>},
    {"isupper", one_case<is_upper, is_lower>},
    {"join", join},
    {"ljust", pad<-1>},
    {"lower", map_text<lower_case>},
    {"lstrip", strip<true, false>},
    {"partition", partition<false>},
    {"removeprefix", remove_affix<false>},
    {"removesuffix", remove_affix<true>},
    {"replace", replace},
    {"rfind", find<true, false>},
    {"rindex", find<true, true>},
    {"rjust", pad<1>},
    {"rpartition", partition<true>},
    {"rsplit", split_text<true>},
    {"rstrip", strip<false, true>},
    {"split", split_text<false>},
    {"splitlines", splitlines},
    {"startswith", starts_or_ends<false>},
    {"strip", strip<true, true>},
    {"title", map_text<title_case>},
    {"upper", map_text<upper_case>},
    {"zfill", zfill},
};

constexpr NamedFunction list_methods[] = {
    {"copy", copy}, {"count", count_items}, {"index", index_of}};

constexpr NamedFunction dict_methods[] = {{"copy", copy},
                                          {"get", get},
                                          {"items", view<DictView::What::items>},
                                          {"keys", view<DictView::What::keys>},
                                          {"values", view<DictView::What::values>}};

constexpr std::string_view list_changers[] = {"append", "clear",  "extend",  "insert",
                                              "pop",    "remove", "reverse", "sort"};
constexpr std::string_view dict_changers[] = {"clear", "pop", "popitem", "setdefault", "update"};

NativeFunction search(std::span<const NamedFunction> table, std::string_view name) {
  const auto at = std::lower_bound(
      table.begin(), table.end(), name,
      [](const NamedFunction& entry, std::string_view wanted) { return entry.name < wanted; });
  return at != table.end() && at->name == name ? at->function : nullptr;
}

}  // namespace

NativeFunction find_method(const Value& object, std::string_view name, bool& unsafe) {
  unsafe = false;
  if (object.string()) return search(string_methods, name);
  if (const List* list = object.list()) {
    unsafe = !list->tuple &&
             std::binary_search(std::begin(list_changers), std::end(list_changers), name);
    return list->tuple && name == "copy" ? nullptr : search(list_methods, name);
  }
  if (object.as<std::shared_ptr<const IntegerRange>>() && name != "copy")
    return search(list_methods, name);
  if (object.dict()) {
    unsafe = std::binary_search(std::begin(dict_changers), std::end(dict_changers), name);
    return search(dict_methods, name);
  }
  return nullptr;
}

}  // namespace premise
