// openapi.json of this folder, built into the program by cmake/PremiseEmbed.cmake.
#pragma once

#include <string_view>

namespace premise {

std::string_view embedded_openapi();

}  // namespace premise
