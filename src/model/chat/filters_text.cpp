// Filters whose result is text.
#include <algorithm>

#include "model/chat/filter_support.h"
#include "model/chat/json_text.h"
#include "model/chat/text_format.h"
#include "model/chat/text_operations.h"

namespace premise {
namespace {

using Given = const Arguments&;

MarkedString text_of(Runtime& runtime, const Value& value) {
  return python_str(runtime.budget(), value);
}

template <MarkedString (*map)(const MarkedString&)>
Value map_text(Runtime& runtime, const Value& value, Given given) {
  given.none("filter");
  const MarkedString text = text_of(runtime, value);
  runtime.budget().take(text.size());
  return map(text);
}

// Unlike str.title: words begin behind - ( { [ < and white space only.
Value title(Runtime& runtime, const Value& value, Given given) {
  given.none("title");
  const MarkedString text = text_of(runtime, value);
  runtime.budget().take(text.size() * 2);
  const std::string_view bytes = text.bytes();
  const auto parts_words = [](char32_t code) {
    return is_space(code) || std::u32string_view(U"-({[<").find(code) != std::u32string_view::npos;
  };
  MarkedString out;
  for (std::size_t begin = 0; begin < bytes.size();) {
    const bool between = parts_words(character_at(bytes, begin));
    std::size_t end = begin;
    while (end < bytes.size() && parts_words(character_at(bytes, end)) == between)
      end += character_bytes(bytes, end);
    const std::size_t first = begin + character_bytes(bytes, begin);
    out.append(upper_case(text.part(begin, first)));
    out.append(lower_case(text.part(first, end)));
    begin = end;
  }
  return out;
}

Value trim(Runtime& runtime, const Value& value, Given given) {
  const auto [characters] = given.bind<1>("trim", {"chars"});
  const bool set = characters && !characters->is_none();
  const MarkedString text = text_of(runtime, value);
  const MarkedString* chars = set ? &want_string(*characters, "trim") : nullptr;
  runtime.budget().step(chars ? text.size() / 16 * (1 + chars->size() / 64) : 0);
  return stripped(text, chars, true, true);
}

Value replace(Runtime& runtime, const Value& value, Given given) {
  const auto [old, with, count] = given.bind<3>("replace", {"old", "new", "count"}, 2);
  return replaced(runtime.budget(), text_of(runtime, value), text_of(runtime, *old),
                  text_of(runtime, *with),
                  count && !count->is_none() ? want_integer(*count, "replace") : -1);
}

Value string(Runtime& runtime, const Value& value, Given given) {
  given.none("string");
  return value.string() ? value : Value(text_of(runtime, value));
}

Value safe(Runtime& runtime, const Value& value, Given given) {
  return string(runtime, value, given).as_markup();
}

Value escape(Runtime& runtime, const Value& value, Given given) {
  given.none("escape");
  if (value.is_markup()) return value;
  return Value(escaped_for_html(runtime.budget(), text_of(runtime, value))).as_markup();
}

Value join(Runtime& runtime, const Value& value, Given given) {
  const auto [separator, attribute] = given.bind<2>("join", {"d", "attribute"});
  const MarkedString between = separator ? text_of(runtime, *separator) : MarkedString();
  const AttributePath path(attribute);
  MarkedString out;
  bool first = true;
  const auto items = elements(runtime, value);
  for (const Value& item : items->items) {
    const MarkedString part = text_of(runtime, path.get(runtime, item));
    runtime.budget().take(part.size() + between.size());
    if (!first) out.append(between);
    first = false;
    out.append(part);
  }
  return out;
}

Value center(Runtime& runtime, const Value& value, Given given) {
  const auto [width] = given.bind<1>("center", {"width"});
  return padded(runtime.budget(), text_of(runtime, value),
                width ? want_integer(*width, "center") : 80, MarkedString(" ", true), 0);
}

MarkedString blanks(const Value& width, std::string_view filter) {
  if (const auto* text = width.string()) return *text;
  const std::int64_t count = std::max<std::int64_t>(want_integer(width, filter), 0);
  if (count > 1 << 20) fail({"{} by {} characters", "{} 的宽度为 {}，过大"}, filter, count);
  return {std::string(static_cast<std::size_t>(count), ' '), true};
}

Value indent(Runtime& runtime, const Value& value, Given given) {
  const auto [width, first, blank] = given.bind<3>("indent", {"width", "first", "blank"});
  MarkedString text = want_string(value, "indent");
  const MarkedString indentation = blanks(width ? *width : Value(4), "indent");
  text.append("\n", true);
  const auto lines = split_lines(runtime.budget(), text, false);
  MarkedString out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    runtime.budget().take(indentation.size() + lines[i].size() + 1);
    if (i > 0) out.append("\n", true);
    const bool wanted =
        i == 0 ? first && first->truth() : !lines[i].empty() || (blank && blank->truth());
    if (wanted) out.append(indentation);
    out.append(lines[i]);
  }
  return out;
}

Value truncate(Runtime& runtime, const Value& value, Given given) {
  const auto [length, kill, end, leeway] =
      given.bind<4>("truncate", {"length", "killwords", "end", "leeway"});
  const MarkedString tail = end ? want_string(*end, "truncate") : MarkedString("...", true);
  const std::int64_t most = length ? want_integer(*length, "truncate") : 255;
  const std::int64_t slack = leeway && !leeway->is_none() ? want_integer(*leeway, "truncate") : 5;
  const std::int64_t size = length_of(value);
  const auto tail_size = static_cast<std::int64_t>(count_characters(tail.bytes()));
  if (most < tail_size || slack < 0)
    fail({"truncate to less than its ending", "truncate 的长度小于结尾标记"});
  if (size <= most || size - slack <= most) return value;  // a list, too
  const MarkedString& text = want_string(value, "truncate");
  runtime.budget().take(text.size());
  MarkedString kept =
      text.part(0, offset_of_character(text.bytes(), static_cast<std::size_t>(most - tail_size)));
  if (!(kill && kill->truth()))
    if (const auto space = kept.bytes().rfind(' '); space != std::string::npos)
      kept = kept.part(0, space);
  kept.append(tail);
  return kept;
}

Value format(Runtime& runtime, const Value& value, Given given) {
  if (!given.named.empty() && !given.positional.empty())
    fail(
        {"format takes values by place or by name, not both", "format 不能混用位置参数和具名参数"});
  Dict named;
  for (const auto& [name, argument] : given.named) named.set(name, argument);
  return percent_format(runtime, text_of(runtime, value),
                        given.named.empty() ? Value::tuple(given.positional) : Value(named));
}

Value wordcount(Runtime& runtime, const Value& value, Given given) {
  given.none("wordcount");
  const MarkedString text = text_of(runtime, value);
  std::int64_t count = 0;
  bool inside = false;
  for (std::size_t at = 0; at < text.size(); at += character_bytes(text.bytes(), at)) {
    const char32_t code = character_at(text.bytes(), at);
    const bool letter = is_alphabetic(code) || is_decimal(code) || code == '_';
    count += letter && !inside;
    inside = letter;
  }
  return count;
}

Value tojson(Runtime& runtime, const Value& value, Given given) {
  const auto [ascii, indent, separators, sort_keys] =
      given.bind<4>("tojson", {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonStyle style;
  style.ensure_ascii = ascii && ascii->truth();
  style.sort_keys = sort_keys && sort_keys->truth();
  style.pretty = indent && !indent->is_none();
  if (style.pretty) {
    style.indent = blanks(*indent, "tojson");
    style.item_separator = ",";
  }
  std::shared_ptr<const List> pair;
  if (separators && !separators->is_none()) {
    pair = elements(runtime, *separators);
    if (pair->items.size() != 2) fail({"tojson needs two separators", "tojson 需要两个分隔符"});
    style.item_separator = want_string(pair->items[0], "tojson").bytes();
    style.key_separator = want_string(pair->items[1], "tojson").bytes();
  }
  return json_text(runtime.budget(), value, style);
}

constexpr NamedFunction text_table[] = {
    {"capitalize", map_text<capitalized>},
    {"center", center},
    {"e", escape},
    {"escape", escape},
    {"forceescape", escape},
    {"format", format},
    {"indent", indent},
    {"join", join},
    {"lower", map_text<lower_case>},
    {"replace", replace},
    {"safe", safe},
    {"string", string},
    {"title", title},
    {"tojson", tojson},
    {"trim", trim},
    {"truncate", truncate},
    {"upper", map_text<upper_case>},
    {"wordcount", wordcount},
};

}  // namespace

std::span<const NamedFunction> text_filters() { return text_table; }

}  // namespace premise
