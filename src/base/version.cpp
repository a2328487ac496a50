#include "base/version.h"

namespace premise {

std::string_view version() { return PREMISE_VERSION; }

}  // namespace premise
