// The evaluator's half for what has attributes or can be called.
#include "base/printable.h"
#include "model/chat/evaluator.h"
#include "model/chat/unicode_text.h"

namespace premise {
namespace {

// The element of a list that Python's index names, or null.
const Value* at_index(const std::vector<Value>& items, const Value& key) {
  std::int64_t storage = 0;
  const auto* index = integer_of(key, storage);
  const auto count = static_cast<std::int64_t>(items.size());
  if (!index || *index >= count || *index < -count) return nullptr;
  return &items[static_cast<std::size_t>(*index < 0 ? *index + count : *index)];
}

Value character(Budget& budget, const MarkedString& text, std::int64_t index) {
  budget.read(text.size());
  if (index < 0) index += static_cast<std::int64_t>(count_characters(text.bytes()));
  if (index < 0) return Undefined{};
  const std::size_t at = offset_of_character(text.bytes(), static_cast<std::size_t>(index));
  if (at >= text.size()) return Undefined{};
  return text.part(at, at + character_bytes(text.bytes(), at));
}

}  // namespace

Value Evaluator::attribute(const Value& object, const std::string& name) {
  if (const auto* undefined = object.as<Undefined>()) fail_undefined(*undefined);
  bool unsafe = false;
  if (find_method(object, name, unsafe))
    return std::make_shared<const BoundMethod>(BoundMethod{object, name});
  if (unsafe) return Undefined{&name, true};
  if (const auto* dict = object.dict()) {
    const Value* value = dict->find(name);
    return value ? *value : Value(Undefined{&name});
  }
  if (const auto* held = object.as<Namespace*>()) {
    const auto at = (*held)->attributes.find(name);
    return at != (*held)->attributes.end() ? at->second : Value(Undefined{&name});
  }
  if (const auto* loop = object.as<LoopState*>()) return loop_attribute(**loop, name);
  if (const auto* macro = object.as<MacroRef>(); macro && name == "name")
    return Value::text(macro->body->name);
  return Undefined{&name};
}

Value Evaluator::item(const Value& object, const Value& key) {
  if (const auto* undefined = object.as<Undefined>()) fail_undefined(*undefined);
  std::int64_t storage = 0;
  const auto* index = integer_of(key, storage);
  if (const auto* dict = object.dict()) {
    if (!hashable(key)) return Undefined{};
    budget_.read(key.extent().weight * 64);
    if (const Value* value = dict->find_key(key)) return *value;
  } else if (const auto* list = object.list()) {
    if (const Value* value = at_index(list->items, key)) return *value;
  } else if (const auto* text = object.string()) {
    if (index) return character(budget_, *text, *index);
  } else if (const auto* held = object.as<std::shared_ptr<const IntegerRange>>()) {
    const IntegerRange& range = **held;
    const std::int64_t size = range.size();
    if (index && *index < size && *index >= -size)
      return range.start + range.step * (*index < 0 ? *index + size : *index);
  }
  const auto* name = key.string();
  if (!name) return Undefined{};
  // Jinja then takes the key for an attribute's name.
  bool unsafe = false;
  if (find_method(object, name->bytes(), unsafe))
    return std::make_shared<const BoundMethod>(BoundMethod{object, name->bytes()});
  if (object.dict()) return Undefined{nullptr, unsafe};
  Value found = attribute(object, name->bytes());
  return found.is_undefined() ? Value(Undefined{nullptr, unsafe}) : found;
}

Value Evaluator::call(const Value& callee, const Arguments& arguments) {
  const Level level(budget_);
  budget_.step();
  if (const auto* macro = callee.as<MacroRef>()) return call_macro(*macro, arguments);
  if (const auto* builtin = callee.as<Builtin>()) return call_builtin(*this, *builtin, arguments);
  if (const auto* held = callee.as<std::shared_ptr<const BoundMethod>>()) {
    const BoundMethod& method = **held;
    if (const auto* loop = method.object.as<LoopState*>())
      return loop_method(**loop, method.name, arguments);
    bool unsafe = false;
    return find_method(method.object, method.name, unsafe)(*this, method.object, arguments);
  }
  if (const auto* loop = callee.as<LoopState*>()) return call_loop(**loop, arguments);
  if (const auto* undefined = callee.as<Undefined>()) fail_undefined(*undefined);
  fail({"a '{}' cannot be called", "“{}”不能被调用"}, callee.type_name());
}

Value Evaluator::call_macro(const MacroRef& macro, const Arguments& arguments) {
  const FrameScope frame(*this, macro.frame);
  bind_parameters(*macro.body, arguments, *frame);
  return capture(macro.body->body, *frame);
}

void Evaluator::bind_parameters(const MacroBody& body, const Arguments& arguments, Frame& frame) {
  std::vector<std::pair<std::string, Value>> named = arguments.named;
  const auto take = [&named](std::string_view name) -> std::optional<Value> {
    for (auto at = named.begin(); at != named.end(); ++at) {
      if (at->first != name) continue;
      Value value = std::move(at->second);
      named.erase(at);
      return value;
    }
    return std::nullopt;
  };
  for (std::size_t i = 0; i < body.parameters.size(); ++i) {
    const auto& parameter = body.parameters[i];
    const std::string& name = tree_.names[static_cast<std::size_t>(parameter.id)];
    if (i < arguments.positional.size()) {
      set_variable(parameter.id, arguments.positional[i], frame);
    } else if (auto given = take(name)) {
      set_variable(parameter.id, std::move(*given), frame);
    } else {
      set_variable(
          parameter.id,
          parameter.fallback ? evaluate(*parameter.fallback, frame) : Value(Undefined{&name}),
          frame);
    }
  }
  if (body.uses_caller) {
    auto caller = take("caller");
    set_variable(name_caller,
                 caller ? std::move(*caller) : Value(Undefined{&tree_.names[name_caller]}), frame);
  }
  if (body.uses_kwargs) {
    Dict rest;
    for (auto& [name, value] : named) rest.set(name, std::move(value));
    set_variable(name_kwargs, std::move(rest), frame);
  } else if (!named.empty()) {
    fail({"macro {} has no parameter \"{}\", or it was given twice",
          "宏 {} 没有参数“{}”，或该参数被给出两次"},
         body.name, printable(named.front().first));
  }
  const std::size_t taken = std::min(body.parameters.size(), arguments.positional.size());
  if (body.uses_varargs) {
    set_variable(name_varargs,
                 Value::tuple({arguments.positional.begin() + static_cast<std::ptrdiff_t>(taken),
                               arguments.positional.end()}),
                 frame);
  } else if (arguments.positional.size() > taken) {
    fail({"macro {} takes at most {} arguments, {} were given",
          "宏 {} 最多接受 {} 个参数，给出了 {} 个"},
         body.name, body.parameters.size(), arguments.positional.size());
  }
}

Value Evaluator::call_loop(LoopState& loop, const Arguments& arguments) {
  if (!loop.recursive)
    fail({"loop() needs a for that is marked \"recursive\"",
          "调用 loop() 需要标有“recursive”的 for"});
  const auto [items] = arguments.bind<1>("loop", {"iterable"}, 1);
  MarkedString out;
  MarkedString* const outer = std::exchange(out_, &out);
  run_loop(*loop.recursive, *loop.frame, elements(*this, *items), loop.depth0 + 1);
  out_ = outer;
  return out;
}

Value Evaluator::loop_attribute(const LoopState& loop, const std::string& name) const {
  const auto count = static_cast<std::int64_t>(loop.items->items.size());
  const auto index0 = static_cast<std::int64_t>(loop.index0);
  if (name == "index") return index0 + 1;
  if (name == "index0") return index0;
  if (name == "first") return index0 == 0;
  if (name == "last") return index0 + 1 == count;
  if (name == "length") return count;
  if (name == "revindex") return count - index0;
  if (name == "revindex0") return count - index0 - 1;
  if (name == "depth") return std::int64_t{loop.depth0 + 1};
  if (name == "depth0") return std::int64_t{loop.depth0};
  if (name == "previtem" && index0 > 0) return loop.items->items[loop.index0 - 1];
  if (name == "nextitem" && index0 + 1 < count) return loop.items->items[loop.index0 + 1];
  if (name == "cycle" || name == "changed")
    return std::make_shared<const BoundMethod>(BoundMethod{const_cast<LoopState*>(&loop), name});
  return Undefined{&name};
}

Value Evaluator::loop_method(LoopState& loop, std::string_view name, const Arguments& arguments) {
  const auto& given = arguments.positional;
  if (name == "cycle") {
    if (given.empty())
      fail({"loop.cycle needs something to choose from", "loop.cycle 需要至少一个参数"});
    return given[loop.index0 % given.size()];
  }
  bool changed = !loop.changed_asked || loop.changed.size() != given.size();
  for (std::size_t i = 0; !changed && i < given.size(); ++i)
    changed = !charged_equal(*this, loop.changed[i], given[i]);
  loop.changed_asked = true;
  loop.changed = given;
  return changed;
}

}  // namespace premise
