#include <array>

#include "store/sources/source.h"

namespace premise {

extern const Source file_source;
extern const Source pypi_source;

std::span<const Source* const> all_sources() {
  static constexpr std::array<const Source*, 2> sources{&file_source, &pypi_source};
  return sources;
}

const Source* find_source(std::string_view name) {
  for (const Source* source : all_sources()) {
    if (source->name == name) return source;
  }
  return nullptr;
}

}  // namespace premise
