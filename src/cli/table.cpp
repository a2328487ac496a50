#include "cli/table.h"

#include <algorithm>

#include "cli/help.h"

namespace premise {

std::string aligned_table(const std::vector<std::vector<std::string>>& rows,
                          std::string_view align) {
  std::vector<std::size_t> widths(align.size());
  for (const auto& row : rows)
    for (std::size_t i = 0; row.size() > 1 && i < row.size(); ++i)
      widths[i] = std::max(widths[i], display_width(row[i]));
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::size_t width = display_width(row[i]);
      const std::string padding(width < widths[i] ? widths[i] - width : 0, ' ');
      line += (i == 0 ? "" : "  ") + (align[i] == 'r' ? padding + row[i] : row[i] + padding);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace premise
