// Characters that mean something to several algorithms.
#pragma once

#include <string_view>

namespace premise {

inline constexpr std::string_view space_symbol = "\xe2\x96\x81";           // "▁", U+2581
inline constexpr std::string_view replacement_character = "\xef\xbf\xbd";  // U+FFFD

}  // namespace premise
