#include "model/chat/evaluator.h"

#include "model/chat/python_text.h"

namespace premise {
namespace {

constexpr std::pair<std::string_view, Builtin> builtins[] = {
    {"range", Builtin::range},
    {"dict", Builtin::dict},
    {"namespace", Builtin::make_namespace},
    {"raise_exception", Builtin::raise_exception},
    {"strftime_now", Builtin::strftime_now}};

}  // namespace

Evaluator::Evaluator(const SyntaxTree& tree, const Dict& variables, const TemplateLimits& limits,
                     std::chrono::system_clock::time_point now)
    : tree_(tree),
      budget_(limits),
      now_(now),
      globals_(tree.names.size()),
      is_defined_(tree.names.size()) {
  for (std::size_t id = 0; id < tree.names.size(); ++id) {
    const Value* given = variables.find(tree.names[id]);
    if (given) globals_[id] = *given;
    is_defined_[id] = given != nullptr;
    for (const auto& [name, function] : builtins) {
      if (given || name != tree.names[id]) continue;
      globals_[id] = function;
      is_defined_[id] = true;
    }
  }
}

MarkedString Evaluator::run() {
  MarkedString out = capture(tree_.body, root_);
  return out;
}

MarkedString Evaluator::capture(const Block& block, Frame& frame) {
  MarkedString out;
  MarkedString* const outer = std::exchange(out_, &out);
  const Flow flow = execute(block, frame);
  out_ = outer;
  if (flow != Flow::onward)
    fail({"break and continue belong into a for", "break 和 continue 只能用在 for 中"});
  return out;
}

void Evaluator::write(const MarkedString& text) {
  budget_.take(text.size());
  if (out_->size() + text.size() > budget_.limits().output_bytes)
    fail({"would write more than {} bytes", "输出将超过 {} 字节"}, budget_.limits().output_bytes);
  out_->append(text);
}

Evaluator::Flow Evaluator::execute(const Block& block, Frame& frame) {
  for (const TemplateStatement& statement : block) {
    const Flow flow = execute(statement, frame);
    if (flow != Flow::onward) return flow;
  }
  return Flow::onward;
}

Evaluator::Flow Evaluator::execute(const TemplateStatement& statement, Frame& frame) {
  const Level level(budget_);
  budget_.step();
  line_ = statement.line;
  switch (statement.kind) {
    case StatementKind::text:
      write(*statement.value.string());
      break;
    case StatementKind::output: {
      const Value value = evaluate(*statement.expression, frame);
      if (const auto* text = value.string()) {
        write(*text);
      } else {
        write(python_str(budget_, value));
      }
      break;
    }
    case StatementKind::branch:
      return run_branch(statement, frame);
    case StatementKind::loop:
      return run_for(statement, frame);
    case StatementKind::assign:
      assign(statement.target, evaluate(*statement.expression, frame), frame);
      break;
    case StatementKind::assign_block: {
      const FrameScope inner(*this, &frame);
      Value value = capture(statement.body, *inner);
      if (statement.expression) value = evaluate_filter(*statement.expression, frame, &value);
      assign(statement.target, value, frame);
      break;
    }
    case StatementKind::macro:
      run_macro_definition(statement, frame);
      break;
    case StatementKind::call_block:
      run_call_block(statement, frame);
      break;
    case StatementKind::filter_block: {
      const FrameScope inner(*this, &frame);
      const Value body = capture(statement.body, *inner);
      write(python_str(budget_, evaluate_filter(*statement.expression, frame, &body)));
      break;
    }
    case StatementKind::with: {
      const FrameScope inner(*this, &frame);
      // Each value sees the names outside only.
      for (const auto& [target, value] : statement.bindings)
        assign(target, evaluate(*value, frame), *inner);
      return execute(statement.body, *inner);
    }
    case StatementKind::scope: {
      const FrameScope inner(*this, &frame);
      write(capture(statement.body, *inner));
      break;
    }
    case StatementKind::leave_loop:
      return Flow::leave_loop;
    case StatementKind::next_round:
      return Flow::next_round;
  }
  return Flow::onward;
}

Evaluator::Flow Evaluator::run_branch(const TemplateStatement& statement, Frame& frame) {
  for (const auto& branch : statement.branches)
    if (!branch.condition || evaluate(*branch.condition, frame).truth())
      return execute(branch.body, frame);
  return Flow::onward;
}

Evaluator::Flow Evaluator::run_for(const TemplateStatement& statement, Frame& frame) {
  return run_loop(statement, frame, elements(*this, evaluate(*statement.expression, frame)), 0);
}

Evaluator::Flow Evaluator::run_loop(const TemplateStatement& statement, Frame& frame,
                                    std::shared_ptr<const List> items, int depth0) {
  if (statement.filter) {
    auto kept = std::make_shared<List>();
    for (const Value& item : items->items) {
      const FrameScope inner(*this, &frame);
      assign(statement.target, item, *inner);
      if (evaluate(*statement.filter, *inner).truth()) kept->items.push_back(item);
    }
    items = std::move(kept);
  }
  budget_.take(sizeof(LoopState));
  LoopState& loop = loops_.emplace_back();
  loop.items = items;
  loop.depth0 = depth0;
  loop.recursive = statement.recursive ? &statement : nullptr;
  loop.frame = &frame;
  if (statement.recursive) keep(frame);
  bool completed = false;
  for (std::size_t i = 0; i < items->items.size(); ++i) {
    budget_.step();
    loop.index0 = i;
    const FrameScope inner(*this, &frame);
    inner->variables.emplace_back(name_loop, &loop);
    assign(statement.target, items->items[i], *inner);
    const Flow flow = execute(statement.body, *inner);
    if (flow == Flow::leave_loop) break;
    completed |= flow == Flow::onward;
  }
  // As Jinja compiles it: a round that `continue` or `break` cuts short does not count.
  if (completed || statement.otherwise.empty()) return Flow::onward;
  const FrameScope inner(*this, &frame);
  return execute(statement.otherwise, *inner);
}

void Evaluator::keep(Frame& frame) {
  for (Frame* at = &frame; at && !at->captured; at = at->parent) at->captured = true;
}

void Evaluator::run_macro_definition(const TemplateStatement& statement, Frame& frame) {
  keep(frame);
  set_variable(statement.id, MacroRef{statement.macro.get(), &frame}, frame);
}

void Evaluator::run_call_block(const TemplateStatement& statement, Frame& frame) {
  keep(frame);
  const Value caller = MacroRef{statement.macro.get(), &frame};
  write(python_str(budget_, evaluate_call(*statement.expression, frame, &caller)));
}

Value Evaluator::look_up(NameId id, const Frame& frame) const {
  for (const Frame* at = &frame; at->parent; at = at->parent)
    for (const auto& [name, value] : at->variables)
      if (name == id) return value;
  const auto index = static_cast<std::size_t>(id);
  if (is_defined_[index]) return globals_[index];
  return Undefined{&tree_.names[index]};
}

void Evaluator::set_variable(NameId id, Value value, Frame& frame) {
  if (!frame.parent) {
    const auto index = static_cast<std::size_t>(id);
    globals_[index] = std::move(value);
    is_defined_[index] = true;
    return;
  }
  for (auto& [name, held] : frame.variables) {
    if (name != id) continue;
    held = std::move(value);
    return;
  }
  frame.variables.emplace_back(id, std::move(value));
}

void Evaluator::assign(const AssignmentTarget& target, const Value& value, Frame& frame) {
  if (target.tuple) {
    const auto items = elements(*this, value);
    if (items->items.size() != target.parts.size())
      fail({"{} values for {} names", "{} 个值无法赋给 {} 个名称"}, items->items.size(),
           target.parts.size());
    for (std::size_t i = 0; i < target.parts.size(); ++i)
      assign(target.parts[i], items->items[i], frame);
    return;
  }
  if (target.attribute.empty()) {
    set_variable(target.id, value, frame);
    return;
  }
  const Value object = look_up(target.id, frame);
  const auto* held = object.as<Namespace*>();
  if (!held)
    fail({"attributes can be set on a namespace only, not on a '{}'",
          "只能设置 namespace 的属性，不能设置“{}”的属性"},
         object.type_name());
  if (target.attribute.starts_with('_'))
    fail({"an attribute of a namespace may not begin with an underscore: {}",
          "namespace 的属性名不能以下划线开头：{}"},
         target.attribute);
  budget_.take(64);
  (*held)->attributes.insert_or_assign(target.attribute, value);
}

Namespace* Evaluator::make_namespace() {
  budget_.take(sizeof(Namespace));
  return &namespaces_.emplace_back();
}

Value Evaluator::filter(std::string_view name, const Value& value, const Arguments& arguments) {
  const NativeFunction function = find_filter(name);
  if (!function) fail({"there is no filter \"{}\"", "没有名为“{}”的过滤器"}, name);
  return function(*this, value, arguments);
}

bool Evaluator::test(std::string_view name, const Value& value, const Arguments& arguments) {
  const NativeFunction function = find_test(name);
  if (!function) fail({"there is no test \"{}\"", "没有名为“{}”的测试"}, name);
  return function(*this, value, arguments).truth();
}

}  // namespace premise
