// Rows of cells as aligned columns, for people; CJK text counts two columns a character.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace premise {

/// One line a row, two spaces between columns, no trailing spaces. `align` has one letter a column:
/// 'l' flush left, 'r' flush right. A row may end early; a row of a single cell is a heading, which
/// widens no column.
std::string aligned_table(const std::vector<std::vector<std::string>>& rows,
                          std::string_view align);

}  // namespace premise
