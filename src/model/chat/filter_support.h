// What the files of filters share. Each exports one table; filters.cpp joins them.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "model/chat/python_text.h"
#include "model/chat/runtime.h"

namespace premise {

std::span<const NamedFunction> text_filters();
std::span<const NamedFunction> number_filters();
std::span<const NamedFunction> sequence_filters();

/// Looks attributes up as filters name them: "a.b.0"; the element itself where it is null or None.
class AttributePath {
 public:
  explicit AttributePath(const Value* path);
  /// `otherwise` stands for what is undefined on the way; may be null.
  Value get(Runtime& runtime, Value object, const Value* otherwise = nullptr) const;

 private:
  std::vector<Value> parts_;
};

/// Text in lower case where it is text: how filters compare unless told to heed case.
Value without_case(Runtime& runtime, Value value);

/// Python's sorted(): stable; `before` may throw.
std::vector<Value> sorted(Runtime& runtime, std::vector<Value> values,
                          const std::function<Value(const Value&)>& key, bool reverse);

}  // namespace premise
