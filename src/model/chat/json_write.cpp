#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model/chat/json_text.h"
#include "model/chat/python_text.h"
#include "model/chat/runtime.h"
#include "model/chat/unicode_text.h"

namespace premise {
namespace {

class JsonWriter {
 public:
  JsonWriter(Budget& budget, const JsonStyle& style) : budget_(budget), style_(style) {}

  MarkedString take() { return std::move(out_); }

  void write(const Value& value) {
    const Level level(budget_);
    budget_.take(16);
    if (const auto* text = value.string()) {
      write_string(*text);
    } else if (const auto* list = value.list()) {
      write_list(list->items);
    } else if (const auto* dict = value.dict()) {
      write_dict(*dict);
    } else if (value.is_none() || value.is_number()) {
      out_.append(plain(value), value.trusted());
    } else if (const auto* undefined = value.as<Undefined>()) {
      fail_undefined(*undefined);
    } else {
      fail({"a '{}' cannot be written as JSON", "“{}”不能写成 JSON"}, value.type_name());
    }
  }

 private:
  static std::string plain(const Value& value) {
    if (value.is_none()) return "null";
    if (const auto* truth = value.as<bool>()) return *truth ? "true" : "false";
    if (const auto* integer = value.as<std::int64_t>()) return fmt::format_int(*integer).str();
    const double real = *value.as<double>();
    if (std::isnan(real)) return "NaN";
    if (std::isinf(real)) return real < 0 ? "-Infinity" : "Infinity";
    return python_float(real);
  }

  void write_string(const MarkedString& text) {
    budget_.take(text.size() + 2);
    out_.append("\"", false);
    std::string piece;
    text.visit_runs(0, text.size(), [&](std::string_view run, bool trusted) {
      piece.clear();
      for (std::size_t at = 0; at < run.size();) {
        const auto byte = static_cast<unsigned char>(run[at]);
        const std::size_t count = byte < 0x80 ? 1 : character_bytes(run, at);
        if (byte < 0x80 || !style_.ensure_ascii) {
          append_plain(run.substr(at, count), piece);
        } else {
          append_escaped(character_at(run, at), piece);
        }
        at += count;
      }
      out_.append(piece, trusted);
    });
    out_.append("\"", false);
  }

  static void append_plain(std::string_view character, std::string& piece) {
    constexpr std::string_view special = "\"\\\b\f\n\r\t";
    constexpr std::string_view letters = "\"\\bfnrt";
    const char c = character[0];
    if (const auto at = special.find(c); at != special.npos) {
      piece += '\\';
      piece += letters[at];
    } else if (static_cast<unsigned char>(c) < 0x20) {
      append_escaped(static_cast<unsigned char>(c), piece);
    } else {
      piece += character;
    }
  }

  static void append_escaped(char32_t code, std::string& piece) {
    const auto number = static_cast<unsigned>(code);
    if (number < 0x10000) {
      piece += fmt::format("\\u{:04x}", number);
    } else {
      piece += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + ((number - 0x10000) >> 10),
                           0xDC00 + ((number - 0x10000) & 0x3FF));
    }
  }

  void write_break() {
    if (!style_.pretty) return;
    budget_.take(1 + style_.indent.size() * levels_);
    out_.append("\n", false);
    for (std::size_t i = 0; i < levels_; ++i) out_.append(style_.indent);
  }

  void write_list(const std::vector<Value>& items) {
    out_.append("[", false);
    ++levels_;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out_.append(style_.item_separator, false);
      write_break();
      write(items[i]);
    }
    --levels_;
    if (!items.empty()) write_break();
    out_.append("]", false);
  }

  void write_dict(const Dict& dict) {
    std::vector<const Dict::Entry*> entries;
    for (const auto& entry : dict.entries()) entries.push_back(&entry);
    if (style_.sort_keys) {
      for (std::size_t i = 1; i < entries.size(); ++i)
        (void)less(entries[i - 1]->first, entries[i]->first);  // fails for kinds without an order
      std::sort(entries.begin(), entries.end(),
                [](const auto* a, const auto* b) { return less(a->first, b->first); });
      budget_.step(entries.size() * 16);
    }
    out_.append("{", false);
    ++levels_;
    bool first = true;
    for (const auto* entry : entries) {
      if (!first) out_.append(style_.item_separator, false);
      first = false;
      write_break();
      write_key(entry->first);
      out_.append(style_.key_separator, false);
      write(entry->second);
    }
    --levels_;
    if (!entries.empty()) write_break();
    out_.append("}", false);
  }

  void write_key(const Value& key) {
    if (const auto* text = key.string()) return write_string(*text);
    if (!key.is_none() && !key.is_number())
      fail({"a '{}' cannot be a key in JSON", "“{}”不能作为 JSON 的键"}, key.type_name());
    write_string(MarkedString(plain(key), key.trusted()));
  }

  Budget& budget_;
  const JsonStyle& style_;
  MarkedString out_;
  std::size_t levels_ = 0;
};

}  // namespace

MarkedString json_text(Budget& budget, const Value& value, const JsonStyle& style) {
  JsonWriter writer(budget, style);
  writer.write(value);
  return writer.take();
}

}  // namespace premise
