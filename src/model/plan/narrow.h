// Computes only what is wanted: moves the choice of rows as far up a plan as it goes.
//
// An architecture describes all layers for all tokens and chooses the rows whose logits are wanted
// at the end. But behind the keys and values of the last layer nothing is read by other tokens, so
// that its queries, attention and feed-forward are wanted for few rows of a prompt. A row's values
// do not depend on the other rows, and stay the same bit for bit.
#pragma once

#include "model/plan/plan.h"

namespace premise {

/// The same plan with every operation on which no key or value depends computed for the rows whose
/// logits are wanted. Operations on all tokens come first, each kind in its old order.
Plan narrowed(const Plan& plan);

}  // namespace premise
