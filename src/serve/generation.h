// The way of a request for text, once its body is here:
//
//   decode → model → words → prepare → token budget → cache → submit … events … → books → log
//
// Each station may refuse; what a station took (a budget) is given back by whoever ends the
// request.
#pragma once

#include "serve/api/dialect.h"
#include "serve/in_flight.h"
#include "serve/visit.h"

namespace premise {

/// Sees to it that the visit is answered, now or by the endpoint's events. On a worker's thread.
void generate(const Service& service, InFlight& in_flight, Visit& visit, const Dialect& dialect);

}  // namespace premise
