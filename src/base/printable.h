// Text from files and peers, made safe to show. A tensor's name may hold escape sequences that
// clear a terminal, forge lines or retitle a window; here they come out as visible \x1b.
#pragma once

#include <string>
#include <string_view>

namespace premise {

/// Control characters (C0 except tab and newline, DEL, C1) and bytes that are no UTF-8, as \xNN.
std::string printable(std::string_view text);

}  // namespace premise
