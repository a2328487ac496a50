// The release this program was built from: the file VERSION.
#pragma once

#include <string_view>

namespace premise {

std::string_view version();

}  // namespace premise
