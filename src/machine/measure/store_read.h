// How fast the model store gives up its files: the time that a cold start takes.
#pragma once

#include <filesystem>
#include <functional>

#include "base/result.h"
#include "machine/measure/measured.h"

namespace premise {

/// Reads the store's largest model past the page cache for about `seconds`; where the store holds
/// none, a nameless file that is written for the purpose (and gone with this process, however it
/// ends) in the store or in the nearest folder above it. `stop` is asked between two pieces. Errors
/// say why nothing could be measured (bad_input, no_resources).
Result<StoreRate> measure_store_read(const std::filesystem::path& store, double seconds,
                                     const std::function<bool()>& stop);

}  // namespace premise
