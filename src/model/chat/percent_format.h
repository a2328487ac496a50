// Text with holes: "%s is %d" % (name, age) and "{} is {age:>3}".format(name, age=3).
#pragma once

#include "model/chat/runtime.h"

namespace premise {

/// Python's % on a string. `values` is a tuple of them, one dictionary, or one value.
Value percent_format(Runtime& runtime, const MarkedString& format, const Value& values);

/// Python's str.format.
Value brace_format(Runtime& runtime, const MarkedString& format, const Arguments& arguments);

/// format(value, specification): fill, alignment, sign, #, 0, width, grouping, precision, type.
MarkedString format_value(Runtime& runtime, const Value& value, std::string_view specification);

}  // namespace premise
