// What to do: the best type, context and number of requests that fit, and the card that suits.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "planning/capacity.h"
#include "planning/memory_need.h"
#include "planning/speed.h"

namespace premise {

/// A model as asked for, on a machine.
struct Prediction {
  MemoryNeed need;
  Speed speed;
  bool fits = false;  // total ≤ memory_share_max of the capacity
};

Result<Prediction> predict(const SizedModel& model, const Workload& work, const Capacity& machine);

/// Bytes that a model may take on a machine.
std::uint64_t budget_bytes(const Capacity& machine);

struct Suggestion {
  enum class Kind : std::uint8_t { type, context, concurrency, smallest, device };
  Kind kind = Kind::type;
  std::string type;
  std::uint64_t context = 0;
  std::uint64_t concurrency = 0;
  std::string device;  // id, where it is not the machine that was asked about
  Prediction prediction;
  Text reason;
};

/// "type", "context", …: for JSON.
std::string_view id_of(Suggestion::Kind kind);

/// Ranked, the best first; every one of them fits. Where the wish fits: a better type, a longer
/// context, more requests. Where it does not: the change that gives up least, then the next. The
/// cards that suit come last. `model` is given back as it was.
Result<std::vector<Suggestion>> advise(SizedModel& model, const Workload& work,
                                       const Capacity& machine, bool fits);

/// The smallest cards on which the model fits as asked, at most `most`; fewer where few do.
Result<std::vector<Suggestion>> suiting_cards(const SizedModel& model, const Workload& work,
                                              std::size_t most);

}  // namespace premise
