// What `premise plan` answers, for people and for programs. Not to be taken for plan_report.h,
// which prints the logical plan of a model.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"
#include "planning/advice.h"
#include "planning/history.h"
#include "planning/rules_of_thumb.h"

namespace premise {

struct SizingReport {
  const SizedModel& model;
  const Workload& work;
  const Capacity& machine;
  Prediction prediction;
  std::vector<Suggestion> suggestions;
  std::vector<PredictionRecord> history;         // of this machine; empty for another
  std::optional<std::uint64_t> available_bytes;  // of this machine's memory, now
};

/// Aligned lines; colour where `colour`.
std::string sizing_page(const SizingReport& report, Language language, bool colour);

/// One JSON document; texts in `language`.
std::string sizing_document(const SizingReport& report, Language language);

/// The table of sizes and rules of thumb.
std::string rules_page(const std::vector<RuleRow>& rows, const Workload& work, Language language);
std::string rules_document(const std::vector<RuleRow>& rows, const Workload& work,
                           Language language);

}  // namespace premise
