// Text with holes: "%s is %d" % (name, age) and "{} is {age:>3}".format(name, age=3).
#pragma once

#include "model/chat/runtime.h"

namespace premise {

/// Python's % on a string. `values` is a tuple of them, one dictionary, or one value.
Value percent_format(Runtime& runtime, const MarkedString& format, const Value& values);

/// Python's str.format.
Value brace_format(Runtime& runtime, const MarkedString& format, const Arguments& arguments);

}  // namespace premise
