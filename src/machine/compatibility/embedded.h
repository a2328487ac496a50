// The data files of this folder, built into the program by cmake/PremiseRoom.cmake (premise_embed).
#pragma once

#include <string_view>

namespace premise {

std::string_view embedded_matrix();  // matrix.json
std::string_view embedded_cards();   // cards.json

}  // namespace premise
