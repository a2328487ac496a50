// The logical plan of a model and how this machine computes it, for `premise inspect --plan`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/text.h"
#include "engine/backend/backend.h"
#include "model/plan/plan.h"

namespace premise {

struct PlanReport {
  const Plan& plan;
  std::vector<OpReport> ops;  // one for each op of the plan, in its order
  std::string isa;
  int threads = 0;
  std::size_t context = 0;  // tokens that the cache was made for
  DType kv_type = DType::f16;
  std::uint64_t weight_bytes = 0;
  std::uint64_t cache_bytes = 0;
  std::uint64_t workspace_bytes = 0;
};

/// Summary, cache groups, rotary tables and ops. Layers that differ in nothing but their number are
/// shown once, under all their numbers.
std::string plan_page(const PlanReport& report, Language language);

/// All of it as one JSON document; no layer is left out.
std::string plan_document(const PlanReport& report);

}  // namespace premise
