#include "engine/scheduler/scheduler.h"

#include <algorithm>
#include <cassert>

namespace premise {

std::size_t Scheduler::blocks_of(std::size_t group, std::size_t total_tokens) const {
  return KvCache::blocks_needed(cache_.window(group), cache_.block_tokens(), total_tokens,
                                limits_.tokens_per_step);
}

bool Scheduler::fits(std::size_t total_tokens) const {
  for (std::size_t g = 0; g < cache_.group_count(); ++g)
    if (blocks_of(g, total_tokens) > cache_.blocks_total(g)) return false;
  return true;
}

// Whether the pools can hold one more sequence of this length on top of what the running ones may
// still ask for.
bool Scheduler::reserve(std::size_t total_tokens) {
  for (std::size_t g = 0; g < cache_.group_count(); ++g) {
    std::size_t promised = blocks_of(g, total_tokens);
    for (const Sequence& s : running_) promised += blocks_of(g, s.total);
    if (promised > cache_.blocks_total(g)) return false;
  }
  return true;
}

void Scheduler::add(RequestId request, std::size_t prompt_tokens, std::size_t max_tokens) {
  assert(prompt_tokens > 0 && fits(prompt_tokens + max_tokens));
  waiting_.push_back({request, -1, 0, prompt_tokens, prompt_tokens + max_tokens});
}

void Scheduler::admit() {
  while (!waiting_.empty() && running_.size() < limits_.sequences &&
         reserve(waiting_.front().total)) {
    running_.push_back(waiting_.front());
    waiting_.pop_front();
    running_.back().slot = cache_.open();
  }
}

StepPlan Scheduler::plan() {
  admit();
  StepPlan plan;
  const auto take = [&](Sequence& s) {
    const std::size_t count = std::min(s.known - s.computed, limits_.tokens_per_step - plan.tokens);
    if (count == 0) return;
    const bool grown = cache_.grow(s.slot, s.computed + count);
    assert(grown);  // admission reserved for it
    static_cast<void>(grown);
    plan.entries.push_back({s.request, s.slot, s.computed, count, s.computed + count == s.known});
    plan.tokens += count;
  };
  const auto generates = [](const Sequence& s) { return s.known - s.computed == 1; };
  for (Sequence& s : running_)
    if (generates(s)) take(s);
  for (Sequence& s : running_)
    if (!generates(s)) take(s);
  return plan;
}

void Scheduler::commit(const StepPlan& plan, std::span<const bool> drawn) {
  assert(drawn.size() == plan.entries.size());
  for (std::size_t i = 0; i < plan.entries.size(); ++i) {
    const StepEntry& entry = plan.entries[i];
    const auto s = std::ranges::find(running_, entry.request, &Sequence::request);
    if (s == running_.end()) continue;  // finished while the step ran
    s->computed = entry.first + entry.count;
    cache_.commit(s->slot, s->computed);
    if (drawn[i]) {
      assert(entry.wants_logits && s->known < s->total);
      ++s->known;
    }
  }
}

bool Scheduler::finish(RequestId request) {
  if (std::erase_if(waiting_, [&](const Sequence& s) { return s.request == request; }) > 0)
    return true;
  const auto s = std::ranges::find(running_, request, &Sequence::request);
  if (s == running_.end()) return false;
  cache_.release(s->slot);
  running_.erase(s);
  return true;
}

}  // namespace premise
