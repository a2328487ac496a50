#include "model/chat/python_text.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdlib>

#include "model/chat/ast.h"
#include "model/chat/failure.h"
#include "model/chat/runtime.h"
#include "model/chat/unicode_text.h"

namespace premise {
namespace {

void append_escape(std::string_view text, std::size_t at, std::size_t bytes, std::string& out) {
  const char32_t code = character_at(text, at);
  const auto number = static_cast<unsigned>(code);
  if (code == '\n') {
    out += "\\n";
  } else if (code == '\r') {
    out += "\\r";
  } else if (code == '\t') {
    out += "\\t";
  } else if (code == U'\uFFFD' && bytes == 1) {
    out += fmt::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(text[at])));
  } else if (code < 0x100) {
    out += fmt::format("\\x{:02x}", number);
  } else if (code < 0x10000) {
    out += fmt::format("\\u{:04x}", number);
  } else {
    out += fmt::format("\\U{:08x}", number);
  }
}

void append_quoted(const MarkedString& text, MarkedString& out) {
  const std::string& bytes = text.bytes();
  const bool doubled =
      bytes.find('\'') != std::string::npos && bytes.find('"') == std::string::npos;
  const char quote = doubled ? '"' : '\'';
  const std::string quotes(1, quote);
  const bool trusted = text.all_trusted();
  out.append(quotes, trusted);
  std::string piece;
  text.visit_runs(0, text.size(), [&](std::string_view run, bool run_trusted) {
    piece.clear();
    for (std::size_t at = 0; at < run.size();) {
      const std::size_t count = character_bytes(run, at);
      const char32_t code = character_at(run, at);
      if (code == static_cast<unsigned char>(quote) || code == '\\') {
        piece += '\\';
        piece += run[at];
      } else if (is_printable(code) && !(count == 1 && code == U'\uFFFD')) {
        piece += run.substr(at, count);
      } else {
        append_escape(run, at, count, piece);
      }
      at += count;
    }
    out.append(piece, run_trusted);
  });
  out.append(quotes, trusted);
}

class Writer {
 public:
  Writer(Budget& budget, MarkedString& out) : budget_(budget), out_(out) {}

  void write(const Value& value) {
    const Level level(budget_);
    const std::size_t before = out_.size();
    if (const auto* text = value.string()) {
      budget_.take(text->size() + 2);
      append_quoted(*text, out_);
    } else if (const auto* list = value.list()) {
      write_list(list->items, list->tuple ? "()" : "[]", list->tuple);
    } else if (const auto* dict = value.dict()) {
      write_entries(dict->entries());
    } else if (const auto* view = value.as<DictView>()) {
      write_view(*view);
    } else if (const auto* held = value.as<Namespace*>()) {
      out_.append("<Namespace {", true);
      bool first = true;
      for (const auto& [name, attribute] : (*held)->attributes) {
        if (!first) out_.append(", ", true);
        first = false;
        append_quoted(MarkedString(name, true), out_);
        out_.append(": ", true);
        write(attribute);
      }
      out_.append("}>", true);
    } else {
      write_plain(value);
    }
    budget_.take(out_.size() - before > 64 ? 64 : out_.size() - before);
  }

 private:
  void write_list(const std::vector<Value>& items, std::string_view brackets, bool tuple) {
    out_.append(brackets.substr(0, 1), false);
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out_.append(", ", false);
      write(items[i]);
    }
    if (tuple && items.size() == 1) out_.append(",", false);
    out_.append(brackets.substr(1), false);
  }

  void write_entries(const std::vector<Dict::Entry>& entries) {
    out_.append("{", false);
    bool first = true;
    for (const auto& [key, value] : entries) {
      if (!first) out_.append(", ", false);
      first = false;
      write(key);
      out_.append(": ", false);
      write(value);
    }
    out_.append("}", false);
  }

  void write_view(const DictView& view) {
    const auto what = view.what;
    out_.append(what == DictView::What::keys     ? "dict_keys("
                : what == DictView::What::values ? "dict_values("
                                                 : "dict_items(",
                false);
    std::vector<Value> items;
    for (const auto& [key, value] : view.dict->entries())
      items.push_back(what == DictView::What::keys     ? key
                      : what == DictView::What::values ? value
                                                       : Value::tuple({key, value}));
    write_list(items, "[]", false);
    out_.append(")", false);
  }

  void write_plain(const Value& value) {
    if (value.is_none()) {
      out_.append("None", value.trusted());
    } else if (value.is_undefined()) {
      out_.append("Undefined", value.trusted());
    } else if (const auto* truth = value.as<bool>()) {
      out_.append(*truth ? "True" : "False", value.trusted());
    } else if (const auto* integer = value.as<std::int64_t>()) {
      out_.append(fmt::format_int(*integer).str(), value.trusted());
    } else if (const auto* real = value.as<double>()) {
      out_.append(python_float(*real), value.trusted());
    } else if (const auto* range = value.as<std::shared_ptr<const IntegerRange>>()) {
      const IntegerRange& r = **range;
      out_.append(r.step == 1 ? fmt::format("range({}, {})", r.start, r.stop)
                              : fmt::format("range({}, {}, {})", r.start, r.stop, r.step),
                  true);
    } else if (const auto* macro = value.as<MacroRef>()) {
      out_.append("<Macro '" + macro->body->name + "'>", true);
    } else if (const auto* loop = value.as<LoopState*>()) {
      out_.append(
          fmt::format("<LoopContext {}/{}>", (*loop)->index0 + 1, (*loop)->items->items.size()),
          true);
    } else {
      // Python would print an address in memory.
      fail({"a '{}' cannot be written as text", "“{}”不能写成文本"}, value.type_name());
    }
  }

  Budget& budget_;
  MarkedString& out_;
};

}  // namespace

MarkedString python_repr(Budget& budget, const Value& value) {
  MarkedString out;
  Writer(budget, out).write(value);
  return out;
}

MarkedString python_str(Budget& budget, const Value& value) {
  if (const auto* text = value.string()) {
    budget.read(text->size());
    return *text;
  }
  if (value.is_undefined()) return {};
  return python_repr(budget, value);
}

std::string python_float(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char buffer[32];
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  const std::string_view shortest(buffer, static_cast<std::size_t>(end - buffer));
  const std::size_t e = shortest.find('e');
  const int exponent = std::atoi(std::string(shortest.substr(e + 1)).c_str());
  std::string sign, digits;
  for (const char c : shortest.substr(0, e)) {
    if (c == '-') sign = "-";
    if (c >= '0' && c <= '9') digits += c;
  }
  const int count = static_cast<int>(digits.size());
  if (exponent < -4 || exponent >= 16) {
    std::string out = sign + digits[0];
    if (count > 1) out += "." + digits.substr(1);
    return out + fmt::format("e{}{:02}", exponent < 0 ? '-' : '+', std::abs(exponent));
  }
  if (exponent < 0)
    return sign + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  if (count <= exponent + 1)
    return sign + digits + std::string(static_cast<std::size_t>(exponent + 1 - count), '0') + ".0";
  const auto whole = static_cast<std::size_t>(exponent + 1);
  return sign + digits.substr(0, whole) + "." + digits.substr(whole);
}

}  // namespace premise
