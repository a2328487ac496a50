// The inside of a quoted string in a template.
#pragma once

#include <string>
#include <string_view>

#include "base/text.h"

namespace premise {

/// Appends what Python's escapes stand for (\n, \x41, \u4e2d, \101 …; an unknown one stays as it
/// is). Returns what is wrong, or an empty text.
Text unescape_literal(std::string_view literal, std::string& out);

}  // namespace premise
