// Arguments of calls, and the functions that every template can call by name.
#include <ctime>

#include "base/printable.h"
#include "model/chat/python_text.h"
#include "model/chat/runtime.h"

namespace premise {
namespace {

constexpr std::size_t shown_max = 2000;

Value make_range(Runtime&, const Arguments& given) {
  if (!given.named.empty()) fail({"range takes no named arguments", "range 不接受具名参数"});
  const auto& numbers = given.positional;
  if (numbers.empty() || numbers.size() > 3)
    fail({"range takes 1 to 3 arguments", "range 需要 1 到 3 个参数"});
  IntegerRange range;
  range.stop = want_integer(numbers[numbers.size() == 1 ? 0 : 1], "range");
  if (numbers.size() > 1) range.start = want_integer(numbers[0], "range");
  if (numbers.size() > 2) range.step = want_integer(numbers[2], "range");
  if (range.step == 0) fail({"range with step 0", "range 的步长为 0"});
  if (range.size() > TemplateLimits::range)
    fail({"a range of {} numbers; {} are allowed", "range 含 {} 个数，最多允许 {} 个"},
         range.size(), std::int64_t{TemplateLimits::range});
  return std::make_shared<const IntegerRange>(range);
}

// dict(mapping or pairs, name=value, …), also for namespace().
Dict make_dict(Runtime& runtime, const Arguments& given, std::string_view name) {
  if (given.positional.size() > 1)
    fail({"{} takes one argument without a name", "{} 只接受一个无名参数"}, name);
  Dict dict;
  if (!given.positional.empty()) {
    const Value& source = given.positional[0];
    if (const Dict* other = source.dict()) {
      runtime.budget().take(other->size() * 2 * sizeof(Value));
      dict = *other;
    } else {
      const auto pairs = elements(runtime, source);
      for (const Value& pair : pairs->items) {
        runtime.budget().take(2 * sizeof(Value));
        const auto parts = elements(runtime, pair);
        if (parts->items.size() != 2)
          fail({"{} needs pairs of key and value", "{} 需要键值对"}, name);
        dict.insert(parts->items[0], parts->items[1]);
      }
    }
  }
  for (const auto& [key, value] : given.named) {
    runtime.budget().take(2 * sizeof(Value));
    dict.set(key, value);
  }
  return dict;
}

Value make_namespace(Runtime& runtime, const Arguments& given) {
  const Dict dict = make_dict(runtime, given, "namespace");
  Namespace* made = runtime.make_namespace();
  for (const auto& [key, value] : dict.entries()) {
    const std::string& name = want_string(key, "namespace").bytes();
    if (name.starts_with('_'))
      fail({"an attribute of a namespace may not begin with an underscore: {}",
            "namespace 的属性名不能以下划线开头：{}"},
           printable(name));
    made->attributes.insert_or_assign(name, value);
  }
  return made;
}

// The template itself refuses the conversation: not its fault, and not a damaged file.
[[noreturn]] void raise(Runtime& runtime, const Arguments& given) {
  const auto [message] = given.bind<1>("raise_exception", {"message"}, 1);
  const std::string said =
      printable(python_str(runtime.budget(), *message).bytes().substr(0, shown_max));
  throw TemplateFailure{text({"the model's chat template refuses the conversation: {}",
                              "模型的对话模板拒绝了该对话：{}"},
                             said),
                        ErrorCode::usage};
}

Value format_time(Runtime& runtime, const Arguments& given) {
  const auto [format] = given.bind<1>("strftime_now", {"format"}, 1);
  const MarkedString& pattern = want_string(*format, "strftime_now");
  const std::time_t now = std::chrono::system_clock::to_time_t(runtime.now());
  std::tm local{};
  ::localtime_r(&now, &local);
  // A byte in front tells an empty result from one that does not fit.
  char buffer[1024];
  const std::string guarded = "." + pattern.bytes();
  const std::size_t count = std::strftime(buffer, sizeof buffer, guarded.c_str(), &local);
  if (count == 0) fail({"the time, written out, is too long", "格式化后的时间过长"});
  return MarkedString(std::string(buffer + 1, count - 1), pattern.all_trusted());
}

}  // namespace

void Arguments::fill(std::string_view function, const std::string_view* parameters,
                     const Value** bound, std::size_t count, std::size_t required) const {
  if (positional.size() > count)
    fail({"{} takes at most {} arguments, {} were given", "{} 最多接受 {} 个参数，给出了 {} 个"},
         function, count, positional.size());
  for (std::size_t i = 0; i < positional.size(); ++i) bound[i] = &positional[i];
  for (const auto& [name, value] : named) {
    std::size_t i = 0;
    while (i < count && parameters[i] != name) ++i;
    if (i == count || bound[i])
      fail({"{} has no parameter \"{}\", or it was given twice",
            "{} 没有参数“{}”，或该参数被给出两次"},
           function, printable(name));
    bound[i] = &value;
  }
  for (std::size_t i = 0; i < required; ++i)
    if (!bound[i])
      fail({"{} needs its argument \"{}\"", "{} 缺少参数“{}”"}, function, parameters[i]);
}

Value call_builtin(Runtime& runtime, Builtin function, const Arguments& arguments) {
  switch (function) {
    case Builtin::range:
      return make_range(runtime, arguments);
    case Builtin::dict:
      return make_dict(runtime, arguments, "dict");
    case Builtin::make_namespace:
      return make_namespace(runtime, arguments);
    case Builtin::raise_exception:
      raise(runtime, arguments);
    case Builtin::strftime_now:
      return format_time(runtime, arguments);
  }
  return None{};
}

}  // namespace premise
