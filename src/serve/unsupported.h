// Keys of premise.toml that are read and checked, and that nothing obeys yet.
#pragma once

#include "base/result.h"
#include "config/config.h"

namespace premise {

/// An Error (usage) that names the first key with another value than the one that is obeyed. A key
/// that were read and ignored would promise a filter or a log that is not there.
Status check_supported(const Config& config);

}  // namespace premise
