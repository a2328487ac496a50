// What a template's filters, tests and methods may ask of the rendering they are part of.
//
// The evaluator implements it; the interface keeps the tables of functions apart from the walk over
// the syntax tree, so that each can be read alone.
#pragma once

#include <array>
#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/chat/limits.h"
#include "model/chat/value.h"

namespace premise {

struct TemplateStatement;

/// namespace(): the one thing that a template may change. Owned by the evaluator.
struct Namespace {
  std::map<std::string, Value, std::less<>> attributes;
};

/// `loop` inside a for. Owned by the evaluator.
struct LoopState {
  std::shared_ptr<const List> items;
  std::size_t index0 = 0;
  int depth0 = 0;
  std::vector<Value> changed;
  bool changed_asked = false;
  const TemplateStatement* recursive = nullptr;  // for loop(…)
  Frame* frame = nullptr;
};

/// What a call was given. bind() sorts it into the parameters of a function.
struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;

  /// By parameter: the argument, or null where it was left out. `required` counts from the front.
  /// TemplateFailure for one too many, an unknown name, or a missing one; `function` is named.
  template <std::size_t N>
  std::array<const Value*, N> bind(std::string_view function,
                                   const std::array<std::string_view, N>& parameters,
                                   std::size_t required = 0) const {
    std::array<const Value*, N> bound{};
    fill(function, parameters.data(), bound.data(), N, required);
    return bound;
  }
  /// For functions without parameters.
  void none(std::string_view function) const { fill(function, nullptr, nullptr, 0, 0); }

 private:
  void fill(std::string_view function, const std::string_view* parameters, const Value** bound,
            std::size_t count, std::size_t required) const;
};

class Runtime {
 public:
  virtual ~Runtime() = default;

  virtual Budget& budget() = 0;
  virtual std::chrono::system_clock::time_point now() const = 0;

  /// object.name and object[key] as jinja2 looks them up.
  virtual Value attribute(const Value& object, const std::string& name) = 0;
  virtual Value item(const Value& object, const Value& key) = 0;

  virtual Value call(const Value& callee, const Arguments& arguments) = 0;
  virtual Value filter(std::string_view name, const Value& value, const Arguments& arguments) = 0;
  virtual bool test(std::string_view name, const Value& value, const Arguments& arguments) = 0;

  virtual Namespace* make_namespace() = 0;
};

using NativeFunction = Value (*)(Runtime&, const Value& self, const Arguments&);

/// A table sorted by name is searched by halves.
struct NamedFunction {
  std::string_view name;
  NativeFunction function;
};

/// Null where there is none.
NativeFunction find_filter(std::string_view name);
NativeFunction find_test(std::string_view name);  // yields a boolean
/// The method of this name that a value of this type has; `unsafe` is set for one that would change
/// it.
NativeFunction find_method(const Value& object, std::string_view name, bool& unsafe);

/// A global function of templates (range, dict, namespace, raise_exception, strftime_now).
Value call_builtin(Runtime& runtime, Builtin function, const Arguments& arguments);

/// All elements of what can be walked; TemplateFailure for what cannot. Uses a generator up.
std::shared_ptr<const List> elements(Runtime& runtime, const Value& value);
/// Python's len(); TemplateFailure for what has none.
std::int64_t length_of(const Value& value);
/// Python's `needle in haystack`.
bool contains(Runtime& runtime, const Value& haystack, const Value& needle);
/// Python's object[start:stop:step]; the bounds are numbers or None.
Value slice(Runtime& runtime, const Value& object, const Value& start, const Value& stop,
            const Value& step);

/// Binary operators: + - * / // % **.
enum class Arithmetic { add, subtract, multiply, divide, floor_divide, modulo, power };
Value compute(Runtime& runtime, Arithmetic operation, const Value& left, const Value& right);
Value negated(const Value& value);

/// Python's ==, < and hash, with their cost charged.
bool charged_equal(Runtime& runtime, const Value& a, const Value& b);
bool charged_less(Runtime& runtime, const Value& a, const Value& b);

/// The TemplateFailure that using an undefined value is: names what is undefined.
[[noreturn]] void fail_undefined(const Undefined& undefined);
/// An argument that must be an integer.
std::int64_t want_integer(const Value& value, std::string_view what);
/// An argument that must be a string.
const MarkedString& want_string(const Value& value, std::string_view what);

}  // namespace premise
