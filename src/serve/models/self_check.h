// Whether a model that was just loaded answers at all.
#pragma once

#include <chrono>

#include "base/result.h"
#include "serve/endpoint/endpoint.h"

namespace premise {

/// Lets the model continue a few words, greedily. `no` where it refuses, takes longer than `limit`,
/// does not end well, says nothing, or has probabilities that are no numbers. Blocks; not from a
/// listener.
Status self_check(ModelEndpoint& endpoint, std::chrono::milliseconds limit);

}  // namespace premise
