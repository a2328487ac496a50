// Template text into a syntax tree.
#pragma once

#include <string_view>

#include "model/chat/ast.h"

namespace premise {

/// Bounds on what is built, since the evaluator and the destructors recurse over it.
inline constexpr int template_nesting_max = 120;  // brackets in brackets, blocks in blocks
inline constexpr int expression_height_max = 400;

/// Throws TemplateFailure with its line.
SyntaxTree parse_template(std::string_view source);

}  // namespace premise
