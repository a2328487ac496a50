// Which tokens the next step computes: pure policy over integers, no device and no clock.
//
// A request is admitted when the cache can hold all it may ever need (prompt and answer), so that
// nothing admitted has to be thrown out again. Every step first carries one token of each running
// sequence that generates, then fills its token budget with prompts in order of arrival, cut into
// chunks where they are longer than what is left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "engine/cache/kv_cache.h"
#include "engine/request/request.h"

namespace premise {

struct SchedulerLimits {
  std::size_t tokens_per_step = 512;
  std::size_t sequences = 1;  // running at once
};

/// One sequence's part of a step: tokens [first, first + count) of its text.
struct StepEntry {
  RequestId request = 0;
  SequenceSlot slot = 0;
  std::size_t first = 0;
  std::size_t count = 0;
  bool wants_logits = false;  // the last token of the part ends what is known: draw the next
};

struct StepPlan {
  std::vector<StepEntry> entries;
  std::size_t tokens = 0;
  bool empty() const { return entries.empty(); }
};

/// One thread at a time; the cache is borrowed and changed by admission, commit and finish.
class Scheduler {
 public:
  Scheduler(SchedulerLimits limits, KvCache& cache) : limits_(limits), cache_(cache) {}

  /// Whether a request of this many tokens, prompt and answer, could ever run.
  bool fits(std::size_t total_tokens) const;

  /// Queues a request; fits(prompt_tokens + max_tokens) holds.
  void add(RequestId request, std::size_t prompt_tokens, std::size_t max_tokens);

  /// The next step; empty when nothing is queued or running. Each plan is followed by commit().
  StepPlan plan();

  /// Takes a computed step over; `drawn` says for each entry whether a token was appended to its
  /// text (only entries that wanted logits may).
  void commit(const StepPlan& plan, std::span<const bool> drawn);

  /// Forgets a request, queued or running, and frees its blocks. False where it is unknown.
  bool finish(RequestId request);

  std::size_t running() const { return running_.size(); }
  std::size_t waiting() const { return waiting_.size(); }

 private:
  struct Sequence {
    RequestId request = 0;
    SequenceSlot slot = 0;
    std::size_t computed = 0;  // tokens in the cache
    std::size_t known = 0;     // tokens of the text so far
    std::size_t total = 0;     // tokens it may reach
  };
  void admit();
  bool reserve(std::size_t total_tokens);
  std::size_t blocks_of(std::size_t group, std::size_t total_tokens) const;

  SchedulerLimits limits_;
  KvCache& cache_;
  std::deque<Sequence> waiting_;
  std::vector<Sequence> running_;
};

}  // namespace premise
