// The evaluator's half for expressions.
#include "model/chat/evaluator.h"
#include "model/chat/python_text.h"

namespace premise {
namespace {

Arithmetic arithmetic_of(ExpressionKind kind) {
  switch (kind) {
    case ExpressionKind::add:
      return Arithmetic::add;
    case ExpressionKind::subtract:
      return Arithmetic::subtract;
    case ExpressionKind::multiply:
      return Arithmetic::multiply;
    case ExpressionKind::divide:
      return Arithmetic::divide;
    case ExpressionKind::floor_divide:
      return Arithmetic::floor_divide;
    case ExpressionKind::modulo:
      return Arithmetic::modulo;
    default:
      return Arithmetic::power;
  }
}

}  // namespace

Value Evaluator::evaluate(const Expression& node, Frame& frame) {
  switch (node.kind) {  // the leaves, without the bookkeeping of a level
    case ExpressionKind::constant:
      return node.value;
    case ExpressionKind::name:
      return look_up(node.id, frame);
    default:
      break;
  }
  const Level level(budget_);
  budget_.step();
  line_ = node.line;
  switch (node.kind) {
    case ExpressionKind::list:
      return evaluate_list(node, frame, false);
    case ExpressionKind::tuple:
      return evaluate_list(node, frame, true);
    case ExpressionKind::dict:
      return evaluate_dict(node, frame);
    case ExpressionKind::attribute: {
      const Value object = evaluate(*node.children[0], frame);
      line_ = node.line;
      return attribute(object, node.text);
    }
    case ExpressionKind::item: {
      const Value object = evaluate(*node.children[0], frame);
      const Value key = evaluate(*node.children[1], frame);
      line_ = node.line;
      return item(object, key);
    }
    case ExpressionKind::slice: {
      const auto bound = [&](std::size_t i) {
        return node.children[i] ? evaluate(*node.children[i], frame) : Value(None{});
      };
      const Value object = evaluate(*node.children[0], frame);
      const Value start = bound(1), stop = bound(2), step = bound(3);
      line_ = node.line;
      return premise::slice(*this, object, start, stop, step);
    }
    case ExpressionKind::call:
      return evaluate_call(node, frame);
    case ExpressionKind::filter:
      return evaluate_filter(node, frame, nullptr);
    case ExpressionKind::test: {
      const Value subject = evaluate(*node.children[0], frame);
      const Arguments arguments = evaluate_arguments(*node.arguments, frame);
      line_ = node.line;
      return test(node.text, subject, arguments);
    }
    case ExpressionKind::compare:
      return evaluate_compare(node, frame);
    case ExpressionKind::concatenate:
      return evaluate_concatenation(node, frame);
    default:
      return evaluate_operator(node, frame);
  }
}

Value Evaluator::evaluate_operator(const Expression& node, Frame& frame) {
  switch (node.kind) {
    case ExpressionKind::conditional:
      if (evaluate(*node.children[1], frame).truth()) return evaluate(*node.children[0], frame);
      return node.children[2] ? evaluate(*node.children[2], frame) : Value(Undefined{});
    case ExpressionKind::both: {
      Value left = evaluate(*node.children[0], frame);
      return left.truth() ? evaluate(*node.children[1], frame) : left;
    }
    case ExpressionKind::either: {
      Value left = evaluate(*node.children[0], frame);
      return left.truth() ? left : evaluate(*node.children[1], frame);
    }
    case ExpressionKind::invert:
      return !evaluate(*node.children[0], frame).truth();
    case ExpressionKind::negate:
    case ExpressionKind::plus: {
      const Value operand = evaluate(*node.children[0], frame);
      line_ = node.line;
      if (node.kind == ExpressionKind::negate) return negated(operand);
      return negated(negated(operand));
    }
    default: {
      const Value left = evaluate(*node.children[0], frame);
      const Value right = evaluate(*node.children[1], frame);
      line_ = node.line;
      return compute(*this, arithmetic_of(node.kind), left, right);
    }
  }
}

Value Evaluator::evaluate_list(const Expression& node, Frame& frame, bool tuple) {
  std::vector<Value> items;
  budget_.take(node.children.size() * sizeof(Value));
  items.reserve(node.children.size());
  for (const auto& child : node.children) items.push_back(evaluate(*child, frame));
  return tuple ? Value::tuple(std::move(items)) : Value::list(std::move(items));
}

Value Evaluator::evaluate_dict(const Expression& node, Frame& frame) {
  budget_.take(node.children.size() * sizeof(Value));
  Dict dict;
  for (std::size_t i = 0; i < node.children.size(); i += 2) {
    Value key = evaluate(*node.children[i], frame);
    dict.insert(std::move(key), evaluate(*node.children[i + 1], frame));
  }
  return dict;
}

Value Evaluator::evaluate_concatenation(const Expression& node, Frame& frame) {
  MarkedString joined;
  for (const auto& child : node.children) {
    const Value part = evaluate(*child, frame);
    const MarkedString* text = part.string();
    const MarkedString written = text ? MarkedString() : python_str(budget_, part);
    if (!text) text = &written;
    budget_.take(text->size());
    joined.append(*text);
  }
  return joined;
}

Value Evaluator::evaluate_compare(const Expression& node, Frame& frame) {
  Value left = evaluate(*node.children[0], frame);
  for (std::size_t i = 0; i < node.comparisons.size(); ++i) {
    Value right = evaluate(*node.children[i + 1], frame);
    line_ = node.line;
    if (!compare(node.comparisons[i], left, right)) return false;
    left = std::move(right);
  }
  return true;
}

bool Evaluator::compare(Comparison comparison, const Value& left, const Value& right) {
  switch (comparison) {
    case Comparison::equal:
      return charged_equal(*this, left, right);
    case Comparison::unequal:
      return !charged_equal(*this, left, right);
    case Comparison::less:
      return charged_less(*this, left, right);
    case Comparison::greater:
      return charged_less(*this, right, left);
    // Not the opposite of "greater": neither holds for what is not a number.
    case Comparison::at_most:
      return charged_less(*this, left, right) || charged_equal(*this, left, right);
    case Comparison::at_least:
      return charged_less(*this, right, left) || charged_equal(*this, left, right);
    case Comparison::in:
      return contains(*this, right, left);
    case Comparison::not_in:
      return !contains(*this, right, left);
  }
  return false;
}

Arguments Evaluator::evaluate_arguments(const CallArguments& arguments, Frame& frame) {
  Arguments given;
  given.positional.reserve(arguments.positional.size());
  for (const auto& argument : arguments.positional)
    given.positional.push_back(evaluate(*argument, frame));
  if (arguments.spread) {
    const auto items = elements(*this, evaluate(*arguments.spread, frame));
    given.positional.insert(given.positional.end(), items->items.begin(), items->items.end());
  }
  for (const auto& argument : arguments.named)
    given.named.emplace_back(argument.name, evaluate(*argument.value, frame));
  if (arguments.spread_named) {
    const Value spread = evaluate(*arguments.spread_named, frame);
    const Dict* dict = spread.dict();
    if (!dict)
      fail({"** needs a dictionary, not a '{}'", "** 需要字典，而不是“{}”"}, spread.type_name());
    for (const auto& [key, value] : dict->entries())
      given.named.emplace_back(want_string(key, "**").bytes(), value);
  }
  return given;
}

Value Evaluator::evaluate_filter(const Expression& node, Frame& frame, const Value* subject) {
  const Level level(budget_);
  const Expression* inner = node.children[0].get();
  const Value value = inner && inner->kind == ExpressionKind::filter
                          ? evaluate_filter(*inner, frame, subject)
                      : inner ? evaluate(*inner, frame)
                              : *subject;
  const Arguments arguments = evaluate_arguments(*node.arguments, frame);
  budget_.step();
  line_ = node.line;
  return filter(node.text, value, arguments);
}

Value Evaluator::evaluate_call(const Expression& node, Frame& frame, const Value* caller) {
  const Expression& callee = *node.children[0];
  const bool method = callee.kind == ExpressionKind::attribute;
  const Value object = evaluate(method ? *callee.children[0] : callee, frame);
  NativeFunction function = nullptr;
  Value target = object;
  if (method) {
    bool unsafe = false;
    line_ = node.line;
    function = find_method(object, callee.text, unsafe);
    if (!function) target = attribute(object, callee.text);
  }
  Arguments arguments = evaluate_arguments(*node.arguments, frame);
  if (caller) arguments.named.emplace_back("caller", *caller);
  line_ = node.line;
  return function ? function(*this, object, arguments) : call(target, arguments);
}

}  // namespace premise
