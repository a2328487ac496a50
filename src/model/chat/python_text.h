// Values as Python writes them: str() and repr().
#pragma once

#include <string>

#include "model/chat/limits.h"
#include "model/chat/value.h"

namespace premise {

/// str(value). Data keeps its mark inside whatever is put around it.
MarkedString python_str(Budget& budget, const Value& value);
/// repr(value): strings in quotes.
MarkedString python_repr(Budget& budget, const Value& value);
/// repr of a float: the shortest digits that read back the same.
std::string python_float(double value);

}  // namespace premise
