// Expected failures. What a user, a file or a peer sends ends in an Error; broken invariants are
// asserts; exceptions of libraries are caught where the library is called.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/text.h"

namespace premise {

/// Kinds of failure; the values are the program's exit codes (SPEC section 8).
enum class ErrorCode {
  no = 1,            // the answer is "no": a check failed
  usage = 2,         // wrong arguments or configuration
  bad_input = 3,     // a damaged, unknown or contradictory input file
  no_resources = 4,  // not enough memory or disk
  network = 5,       // could not reach or read from a source
  cancelled = 130,   // interrupted by the user
  internal = 70,     // a bug in Premise
};

/// One clear sentence that names the file, offset or field; the hint says what to do about it.
struct Error {
  ErrorCode code = ErrorCode::internal;
  Text what;
  Text hint{};

  Error with_hint(Text text) && {
    hint = std::move(text);
    return std::move(*this);
  }
};

/// error(ErrorCode::bad_input, {"{}: too short", "{}：文件太短"}, path)
template <typename... Args>
Error error(ErrorCode code, Phrase<std::type_identity_t<Args>...> phrase, Args&&... args) {
  return {code, text<Args...>(phrase, std::forward<Args>(args)...)};
}

/// The same error with its place in front: at(text({"tensor {}", "张量 {}"}, name), error).
inline Error at(const Text& place, Error inner) {
  inner.what = {place.en + ": " + inner.what.en, place.zh + "：" + inner.what.zh};
  return inner;
}

/// A value or an Error. Asking the wrong one is a broken invariant and asserts.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return *checked<0>(); }
  const T& value() const& { return *const_cast<Result*>(this)->template checked<0>(); }
  T value() && { return std::move(*checked<0>()); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T operator*() && { return std::move(*checked<0>()); }
  T* operator->() { return checked<0>(); }
  const T* operator->() const { return const_cast<Result*>(this)->template checked<0>(); }

  Error& error() & { return *checked<1>(); }
  const Error& error() const& { return *const_cast<Result*>(this)->template checked<1>(); }
  Error&& error() && { return std::move(*checked<1>()); }

 private:
  template <std::size_t I>
  auto* checked() {
    assert(state_.index() == I);
    return std::get_if<I>(&state_);
  }
  std::variant<T, Error> state_;
};

/// A success without a value, or an Error.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)) {}

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  Error& error() & {
    assert(error_);
    return *error_;
  }
  const Error& error() const& {
    assert(error_);
    return *error_;
  }
  Error&& error() && {
    assert(error_);
    return std::move(*error_);
  }

 private:
  std::optional<Error> error_;
};

}  // namespace premise

// Early return for Result and Status:
//   PREMISE_TRY(auto file, open(path));   // declares `file`, or returns the error
//   PREMISE_CHECK(verify(file));          // returns the error, if any
#define PREMISE_CONCAT_(a, b) a##b
#define PREMISE_CONCAT(a, b) PREMISE_CONCAT_(a, b)
#define PREMISE_TRY_(name, declaration, expression) \
  auto name = (expression);                         \
  if (!name.ok()) return std::move(name).error();   \
  declaration = std::move(name).value()
#define PREMISE_TRY(declaration, ...) \
  PREMISE_TRY_(PREMISE_CONCAT(premise_try_, __COUNTER__), declaration, (__VA_ARGS__))
#define PREMISE_CHECK_(name, expression)                                      \
  do {                                                                        \
    if (auto name = (expression); !name.ok()) return std::move(name).error(); \
  } while (false)
#define PREMISE_CHECK(...) \
  PREMISE_CHECK_(PREMISE_CONCAT(premise_status_, __COUNTER__), (__VA_ARGS__))
