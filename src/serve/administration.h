// Actions of an administrator on the models: begun at once, answered at once or when they are over.
#pragma once

#include <memory>
#include <string>

#include "serve/models/model_table.h"
#include "serve/service.h"

namespace premise {

/// Sees to it that the visit is answered: 202 with the state to be polled, or, with ?wait, when the
/// action is over.
void administer(Service& service, const std::shared_ptr<Visit>& visit);

/// Adds the gauge of states to a page of metrics.
void write_model_states(const std::vector<ModelStatus>& models, std::string& page);

}  // namespace premise
