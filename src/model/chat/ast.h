// The syntax tree of a template.
//
// One node type for expressions and one for statements, told apart by their kind: the evaluator is
// a switch over it. A class for each of thirty kinds would spread every rule over three files.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model/chat/value.h"

namespace premise {

/// Names are numbers while a template runs: an index into SyntaxTree::names.
using NameId = int;

struct Expression;
struct TemplateStatement;
using ExpressionPtr = std::unique_ptr<Expression>;
using Block = std::vector<TemplateStatement>;

struct NamedArgument {
  std::string name;
  ExpressionPtr value;
};

struct CallArguments {
  std::vector<ExpressionPtr> positional;
  std::vector<NamedArgument> named;
  ExpressionPtr spread;        // *list
  ExpressionPtr spread_named;  // **dictionary
};

enum class ExpressionKind : unsigned char {
  constant,   // value
  name,       // id
  list,       // children
  tuple,      // children
  dict,       // children: key, value, key, value, …
  attribute,  // children[0] . text
  item,       // children[0] [ children[1] ]
  slice,      // children[0] [ children[1] : children[2] : children[3] ], any of the three null
  call,       // children[0] ( arguments )
  filter,     // children[0] | text ( arguments ); no child in a filter block
  test,       // children[0] is text ( arguments )
  negate,
  plus,
  invert,  // not
  add,
  subtract,
  multiply,
  divide,
  floor_divide,
  modulo,
  power,
  concatenate,  // ~, any number of children
  both,         // and
  either,       // or
  compare,      // children[0] comparisons[0] children[1] comparisons[1] …
  conditional,  // children[0] if children[1] else children[2], which may be null
};

enum class Comparison : unsigned char {
  equal,
  unequal,
  less,
  at_most,
  greater,
  at_least,
  in,
  not_in
};

struct Expression {
  ExpressionKind kind = ExpressionKind::constant;
  int line = 0;
  int height = 1;  // of the tree below
  NameId id = -1;
  Value value;
  std::string text;
  std::vector<ExpressionPtr> children;
  std::vector<Comparison> comparisons;
  std::unique_ptr<CallArguments> arguments;
};

/// What a set or for assigns to: a name, a namespace's attribute, or several of them.
struct AssignmentTarget {
  NameId id = -1;
  std::string attribute;  // empty: the name itself
  std::vector<AssignmentTarget> parts;
  bool tuple = false;  // whether `parts` counts
};

/// A macro, or the body of a call block, which is called as caller().
struct MacroBody {
  struct Parameter {
    NameId id = -1;
    ExpressionPtr fallback;
  };
  std::string name;
  std::vector<Parameter> parameters;
  std::vector<TemplateStatement> body;
  bool uses_caller = false, uses_varargs = false, uses_kwargs = false;
};

enum class StatementKind : unsigned char {
  text,          // text
  output,        // expression
  branch,        // branches
  loop,          // for target in expression if filter: body, otherwise
  assign,        // set target = expression
  assign_block,  // set target | expression: body
  macro,         // id, macro
  call_block,    // expression (a call), macro
  filter_block,  // expression (a filter without a child), body
  with,          // bindings, body
  scope,         // body: `generation`, whose marks only training needs
  leave_loop,    // break
  next_round,    // continue
};

struct TemplateStatement {
  struct Branch {
    ExpressionPtr condition;  // null: else
    Block body;
  };
  StatementKind kind = StatementKind::text;
  int line = 0;
  NameId id = -1;
  bool recursive = false;
  Value value;  // the text, made once
  AssignmentTarget target;
  ExpressionPtr expression;
  ExpressionPtr filter;
  Block body;
  Block otherwise;
  std::vector<Branch> branches;
  std::vector<std::pair<AssignmentTarget, ExpressionPtr>> bindings;
  std::unique_ptr<MacroBody> macro;
};

struct SyntaxTree {
  std::vector<std::string> names;  // by NameId
  Block body;
};

/// Names that the evaluator asks for itself, in this order at the front of SyntaxTree::names.
enum WellKnownName : NameId { name_loop, name_caller, name_varargs, name_kwargs, well_known_names };

}  // namespace premise
