// The sizes that people know by heart, beside what the arithmetic says, and why the two differ.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "planning/memory_need.h"

namespace premise {

struct RuleRow {
  std::string model;             // "Qwen2.5 7B"
  std::string size;              // "7B"
  std::string type;              // "q8_0"
  MemoryNeed card;               // on a card
  MemoryNeed cpu;                // in this engine on a CPU
  double bits = 0;               // of a weight, on average
  std::uint64_t card_bytes = 0;  // a card needs, so that `card.total` is 80 % of it
  std::uint64_t cpu_bytes = 0;   // the same of a machine's memory
  std::string device;            // smallest card of the table; empty: none
  std::string rule;              // "10–12 GB", "≥16 GB"; empty: none is published
  Text why;                      // where the two differ, or that they agree; empty without a rule
};

/// 7B, 13B, 14B, 32B and 70B in five types. The workload's context is cut to what a model was made
/// for.
Result<std::vector<RuleRow>> rules_of_thumb(const Workload& work);

}  // namespace premise
