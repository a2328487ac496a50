// Making nodes of expressions, with their height kept and bounded; and the rules that the two files
// of the expression parser have in common.
#pragma once

#include "model/chat/parser_state.h"

namespace premise {

ExpressionPtr make_node(ExpressionKind kind, int line);
/// Appends a child, which may be null. Fails beyond expression_height_max.
void adopt(const ParserState& state, Expression& parent, ExpressionPtr child);
ExpressionPtr make_pair_node(const ParserState& state, ExpressionKind kind, int line,
                             ExpressionPtr left, ExpressionPtr right);

/// A literal, a name, or something in brackets.
ExpressionPtr parse_primary(ParserState& state);
/// .name, [key], [slice] and calls behind `node`.
ExpressionPtr parse_postfix(ParserState& state, ExpressionPtr node);
/// Filters, tests and calls behind `node`.
ExpressionPtr parse_filters_and_tests(ParserState& state, ExpressionPtr node);

}  // namespace premise
