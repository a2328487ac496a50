// How the interpreter gives up. Almost every operation of a template can fail, and each failure
// ends the whole rendering: inside this room it is an exception, caught at the room's border
// (chat_template.cpp), where the line is added and an Error comes of it.
#pragma once

#include <utility>

#include "base/result.h"

namespace premise {

struct TemplateFailure {
  Text what;
  ErrorCode code = ErrorCode::bad_input;
  int line = 0;  // 0: the line that is being evaluated
};

template <typename... Args>
[[noreturn]] void fail(Phrase<std::type_identity_t<Args>...> phrase, Args&&... args) {
  throw TemplateFailure{text<Args...>(phrase, std::forward<Args>(args)...)};
}

}  // namespace premise
