// A stage between an endpoint and the encoder of its answer: a filter that holds text back or
// replaces it, a recorder for a cache. Stages form a chain; each sees what the one before let pass.
#pragma once

#include <vector>

#include "serve/endpoint/endpoint.h"

namespace premise {

/// One thread at a time.
class AnswerStage {
 public:
  virtual ~AnswerStage() = default;

  /// Appends to `out` what becomes of `event`: nothing, itself, or others. An Ended always ends in
  /// exactly one Ended, as the last of `out`; what was held back comes before it.
  virtual void take(EndpointEvent event, std::vector<EndpointEvent>& out) = 0;

  /// False: nothing that the endpoint may still say will pass, so that it is told to stop. Its
  /// Ended (cancelled) comes through take() and may be passed on as another.
  virtual bool wants_more() const { return true; }
};

}  // namespace premise
