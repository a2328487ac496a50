#include "machine/finding.h"

#include <cassert>

namespace premise {

std::string_view name_of(FindingStatus status) {
  switch (status) {
    case FindingStatus::ok:
      return "ok";
    case FindingStatus::info:
      return "info";
    case FindingStatus::warning:
      return "warning";
    case FindingStatus::failure:
      return "failure";
  }
  assert(false);
  return {};
}

}  // namespace premise
