// JSON in and out of templates' values.
#pragma once

#include <string_view>

#include "base/result.h"
#include "model/chat/limits.h"
#include "model/chat/value.h"

namespace premise {

/// JSON text as a value that is data through and through: no string and no number in it is trusted.
/// Keys keep their order; of equal keys the last wins. bad_input names the byte where the text
/// stops being JSON. Integers beyond 64 bits become floats.
Result<Value> value_from_json(std::string_view json);

/// As transformers' `tojson` filter writes JSON, which is Python's json.dumps.
struct JsonStyle {
  bool ensure_ascii = false;  // \u escapes for what is not ASCII
  bool sort_keys = false;
  bool pretty = false;  // line breaks, each level behind one more `indent`
  MarkedString indent{};
  std::string_view item_separator = ", ";
  std::string_view key_separator = ": ";
};

/// Throws TemplateFailure for what JSON cannot hold. Strings keep their marks; brackets, commas and
/// quotes count as data, so that no JSON text can spell a control token.
MarkedString json_text(Budget& budget, const Value& value, const JsonStyle& style);

}  // namespace premise
