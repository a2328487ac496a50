// "{} is {age:>3}".format(name, age=3), as Python's format strings have it.
#include "model/chat/format_specification.h"
#include "model/chat/python_text.h"
#include "model/chat/text_format.h"

namespace premise {
namespace {

class BraceFormatter {
 public:
  BraceFormatter(Runtime& runtime, const Arguments& arguments)
      : runtime_(runtime), arguments_(arguments) {}

  MarkedString run(const MarkedString& format, int depth) {
    if (depth > 2) fail_format("{{{");
    const std::string_view text = format.bytes();
    MarkedString out;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t brace = text.find_first_of("{}", at);
      out.append(format, at, std::min(brace, text.size()));
      if (brace == text.npos) break;
      if (brace + 1 < text.size() && text[brace + 1] == text[brace]) {
        out.append(format, brace, brace + 1);
        at = brace + 2;
        continue;
      }
      if (text[brace] == '}') fail_format("}");
      const std::size_t end = closing(text, brace + 1);
      out.append(field(format.part(brace + 1, end), depth));
      at = end + 1;
    }
    return out;
  }

 private:
  static std::size_t closing(std::string_view text, std::size_t at) {
    for (int open = 1; at < text.size(); ++at) {
      if (text[at] == '{') ++open;
      if (text[at] == '}' && --open == 0) return at;
    }
    fail_format("{");
  }

  MarkedString field(const MarkedString& inside, int depth) {
    const std::string_view text = inside.bytes();
    std::size_t name_end = text.find_first_of("!:");
    if (const auto bracket = text.find('['); bracket < name_end)
      if (const auto close = text.find(']', bracket); close != text.npos)
        name_end = text.find_first_of("!:", close);
    if (name_end == text.npos) name_end = text.size();
    Value value = argument(text.substr(0, name_end));
    std::size_t at = name_end;
    if (at < text.size() && text[at] == '!') {
      const char conversion = at + 1 < text.size() ? text[at + 1] : '\0';
      if (conversion == 's')
        value = python_str(runtime_.budget(), value);
      else if (conversion == 'r')
        value = python_repr(runtime_.budget(), value);
      else
        fail_format(text);
      at += 2;
    }
    if (at < text.size() && text[at] != ':') fail_format(text);
    const MarkedString spec =
        at < text.size() ? run(inside.part(at + 1, text.size()), depth + 1) : MarkedString();
    return format_value(runtime_, value, spec.bytes());
  }

  Value argument(std::string_view name) {
    const std::size_t end = std::min(name.find_first_of(".["), name.size());
    Value value = first(name.substr(0, end));
    for (std::size_t at = end; at < name.size();) {
      if (name[at] == '.') {
        const std::size_t stop = std::min(name.find_first_of(".[", at + 1), name.size());
        value = runtime_.attribute(value, stored(name.substr(at + 1, stop - at - 1)));
        at = stop;
      } else {
        const std::size_t stop = name.find(']', at);
        if (name[at] != '[' || stop == name.npos) fail_format(name);
        const std::string_view key = name.substr(at + 1, stop - at - 1);
        std::size_t digits = 0;
        const bool number = is_digit_at(key, 0);
        const std::int64_t index = number ? read_number(key, digits) : 0;
        value = runtime_.item(
            value, number && digits == key.size() ? Value(index) : Value::text(std::string(key)));
        at = stop + 1;
      }
    }
    return value;
  }

  Value first(std::string_view name) {
    std::size_t index = next_;
    if (name.empty()) {
      ++next_;
    } else if (is_digit_at(name, 0)) {
      std::size_t at = 0;
      index = static_cast<std::size_t>(read_number(name, at));
      if (at != name.size()) fail_format(name);
    } else {
      for (const auto& [given, value] : arguments_.named)
        if (given == name) return value;
      fail({"format() was given no \"{}\"", "format() 缺少“{}”"}, name);
    }
    if (index >= arguments_.positional.size())
      fail({"format() was given fewer values than holes", "format() 的值少于占位符"});
    return arguments_.positional[index];
  }

  // Undefined values point to their names.
  const std::string& stored(std::string_view name) {
    names_.push_back(std::make_unique<std::string>(name));
    return *names_.back();
  }

  Runtime& runtime_;
  const Arguments& arguments_;
  std::size_t next_ = 0;
  std::vector<std::unique_ptr<std::string>> names_;
};

}  // namespace

Value brace_format(Runtime& runtime, const MarkedString& format, const Arguments& arguments) {
  MarkedString out = BraceFormatter(runtime, arguments).run(format, 0);
  runtime.budget().take(out.size());
  return out;
}

}  // namespace premise
