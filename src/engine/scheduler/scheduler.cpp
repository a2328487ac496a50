#include "engine/scheduler/scheduler.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace premise {

Scheduler::Scheduler(SchedulerLimits limits, KvCache& cache) : limits_(limits), cache_(cache) {
  limits_.chunk_beside_decode = std::max<std::size_t>(limits_.chunk_beside_decode, 1);
}

std::size_t Scheduler::blocks_of(std::size_t group, std::size_t total_tokens) const {
  return KvCache::blocks_needed(cache_.window(group), cache_.block_tokens(), total_tokens,
                                limits_.tokens_per_step);
}

bool Scheduler::fits(std::size_t total_tokens) const {
  for (std::size_t g = 0; g < cache_.group_count(); ++g)
    if (blocks_of(g, total_tokens) > cache_.blocks_total(g)) return false;
  return true;
}

void Scheduler::add(ScheduledRequest request) {
  const std::size_t total = request.prompt.size() + request.max_tokens;
  assert(!request.prompt.empty() && fits(total) && !sequences_.contains(request.id));
  queue_.push(request.owner, request.id);
  Sequence sequence;
  sequence.request = request.id;
  sequence.owner = request.owner;
  sequence.scope = request.scope;
  sequence.text = std::move(request.prompt);
  sequence.total = total;
  sequences_.emplace(request.id, std::move(sequence));
}

void Scheduler::admit() {
  while (running_.size() < limits_.sequences) {
    if (!preempted_.empty()) {
      if (!enter(*preempted_.front())) return;
      preempted_.erase(preempted_.begin());
      continue;
    }
    // Whoever is next but does not fit yet keeps its place: small requests that slip past it would
    // keep it out for ever.
    const std::optional<RequestId> next = queue_.next();
    if (!next) return;
    Sequence& sequence = sequences_.at(*next);
    if (!enter(sequence)) return;
    queue_.remove(sequence.owner, *next);
    queue_.choose(sequence.owner);
    queue_.charge(sequence.owner, sequence.text.size() - sequence.computed);
    sequence.cached = sequence.computed;
    counters_.cached_tokens += sequence.cached;
    if (sequence.scope.shares()) ++counters_.prefix_lookups;
    if (sequence.cached > 0) ++counters_.prefix_hits;
  }
}

// Gives the sequence its place among the running ones, or leaves everything as it was.
bool Scheduler::enter(Sequence& sequence) {
  sequence.slot = cache_.open(sequence.scope);
  sequence.computed = cache_.adopt(sequence.slot, sequence.text);
  if (!has_room_beside_running(sequence)) {
    assert(!running_.empty());  // alone it fits
    cache_.release(sequence.slot);
    sequence.computed = 0;
    return false;
  }
  if (!sequence.age) sequence.age = next_age_++;
  const auto place = std::ranges::upper_bound(running_, sequence.age, {}, &Sequence::age);
  running_.insert(place, &sequence);
  return true;
}

bool Scheduler::has_room_beside_running(const Sequence& sequence) const {
  for (std::size_t g = 0; g < cache_.group_count(); ++g) {
    std::size_t wanted = blocks_wanted(sequence, g);
    for (const Sequence* other : running_) wanted += blocks_wanted(*other, g);
    if (wanted > cache_.blocks_free(g)) return false;
  }
  return true;
}

// Blocks beyond those it holds that a sequence needs for what is known, and one block of growth.
std::size_t Scheduler::blocks_wanted(const Sequence& sequence, std::size_t group) const {
  const auto growth = static_cast<std::size_t>(cache_.block_tokens());
  const std::size_t needed =
      blocks_of(group, std::min(sequence.text.size() + growth, sequence.total));
  const std::size_t held = cache_.blocks_held(sequence.slot, group);
  return needed > held ? needed - held : 0;
}

StepPlan Scheduler::plan() {
  admit();
  StepPlan plan;
  plan_decodes(plan);
  plan_guesses(plan);
  plan_prompts(plan);
  if (plan.empty() && !running_.empty()) plan_oldest(plan);
  return plan;
}

void Scheduler::plan_decodes(StepPlan& plan) {
  // Making room removes sequences from the end only.
  for (std::size_t i = 0; i < running_.size() && plan.tokens < limits_.tokens_per_step; ++i) {
    const Sequence& sequence = *running_[i];
    if (sequence.text.size() - sequence.computed != 1) continue;
    if (make_room(sequence, sequence.computed + 1)) take(plan, sequence, 1);
  }
}

// Guesses take what is left over: they throw nobody out, and the budget is shared evenly.
void Scheduler::plan_guesses(StepPlan& plan) {
  std::size_t budget = std::min(limits_.guesses_per_step, limits_.tokens_per_step - plan.tokens);
  for (std::size_t i = 0; i < plan.entries.size() && budget > 0; ++i) {
    StepEntry& entry = plan.entries[i];
    Sequence& sequence = sequences_.at(entry.request);
    const std::size_t sharers = plan.entries.size() - i;
    const std::size_t left = sequence.total - sequence.text.size();
    if (left < 2) continue;  // the token that is drawn behind the last guess belongs to the text
    const std::size_t most = std::min((budget + sharers - 1) / sharers, left - 1);
    const std::vector<TokenId> guessed = sequence.guesser.guess(sequence.text, most);
    if (guessed.empty() || !cache_.grow(sequence.slot, sequence.text.size() + guessed.size()))
      continue;
    sequence.with_guesses.assign(1, sequence.text.back());
    sequence.with_guesses.insert(sequence.with_guesses.end(), guessed.begin(), guessed.end());
    entry.tokens = sequence.with_guesses;
    entry.guesses = guessed.size();
    plan.tokens += guessed.size();
    budget -= guessed.size();
  }
}

void Scheduler::plan_prompts(StepPlan& plan) {
  std::vector<const Sequence*> prompts;
  for (const Sequence* sequence : running_)
    if (sequence->text.size() - sequence->computed > 1) prompts.push_back(sequence);
  std::ranges::sort(prompts, {}, [&](const Sequence* sequence) {
    return std::pair(queue_.served(sequence->owner), sequence->age);
  });
  std::size_t budget = limits_.tokens_per_step - plan.tokens;
  if (!plan.empty())
    budget = std::min(budget, std::max(limits_.chunk_beside_decode * prompts.size(),
                                       limits_.prompt_tokens_per_decode * plan.entries.size()));
  for (const Sequence* sequence : prompts) {
    const std::size_t rest = sequence->text.size() - sequence->computed;
    const std::size_t count = std::min({rest, budget, readable(*sequence)});
    if (count == 0) continue;  // the budget is spent, or blocks come back when somebody ends
    take(plan, *sequence, count);
    budget -= count;
  }
}

// Nobody could move: the oldest goes on at the cost of the youngest.
void Scheduler::plan_oldest(StepPlan& plan) {
  const Sequence& oldest = *running_.front();
  const std::size_t rest = oldest.text.size() - oldest.computed;
  const std::size_t count = std::min(rest, limits_.tokens_per_step);
  if (make_room(oldest, oldest.computed + count)) take(plan, oldest, count);
  assert(!plan.empty());
}

void Scheduler::take(StepPlan& plan, const Sequence& sequence, std::size_t count) {
  const bool grown = cache_.grow(sequence.slot, sequence.computed + count);
  assert(grown);
  static_cast<void>(grown);
  plan.entries.push_back({sequence.request, sequence.slot, sequence.computed,
                          std::span(sequence.text).subspan(sequence.computed, count),
                          sequence.computed + count == sequence.text.size()});
  plan.tokens += count;
}

// Tokens that the sequence could add with the blocks that are free now.
std::size_t Scheduler::readable(const Sequence& sequence) const {
  const auto block = static_cast<std::size_t>(cache_.block_tokens());
  std::size_t most = SIZE_MAX;
  for (std::size_t g = 0; g < cache_.group_count(); ++g) {
    const std::size_t blocks = cache_.table(sequence.slot, g).size() + cache_.blocks_free(g);
    most = std::min(most, blocks * block - sequence.computed);
  }
  return most;
}

// Throws out the youngest until the sequence can grow; false where it was the youngest itself.
bool Scheduler::make_room(const Sequence& sequence, std::size_t length) {
  while (!cache_.grow(sequence.slot, length)) {
    Sequence& youngest = *running_.back();
    preempt(youngest);
    if (&youngest == &sequence) return false;
  }
  return true;
}

void Scheduler::preempt(Sequence& sequence) {
  assert(running_.size() > 1 && running_.back() == &sequence);
  cache_.release(sequence.slot);
  sequence.computed = 0;
  running_.pop_back();
  const auto place = std::ranges::upper_bound(preempted_, sequence.age, {}, &Sequence::age);
  preempted_.insert(place, &sequence);
  ++counters_.preemptions;
}

void Scheduler::commit(const StepPlan& plan, std::span<const DrawnTokens> drawn) {
  assert(drawn.size() == plan.entries.size());
  for (std::size_t i = 0; i < plan.entries.size(); ++i) {
    const StepEntry& entry = plan.entries[i];
    const auto found = sequences_.find(entry.request);
    if (found == sequences_.end()) continue;  // finished while the step ran
    Sequence& sequence = found->second;
    assert(drawn[i].size() <= entry.logits_rows());
    // Every token drawn but the last was computed as a guess; what lies behind them in the cache is
    // written over by the next step.
    const std::size_t right = drawn[i].empty() ? 0 : drawn[i].size() - 1;
    sequence.text.insert(sequence.text.end(), drawn[i].begin(), drawn[i].end());
    assert(sequence.text.size() <= sequence.total);
    sequence.computed = entry.first + entry.tokens.size() - entry.guesses + right;
    cache_.commit(sequence.slot, sequence.computed, sequence.text);
    queue_.charge(sequence.owner, drawn[i].size());
    sequence.guesser.learn(entry.guesses, right);
    counters_.guessed_tokens += entry.guesses;
    counters_.guessed_right += right;
  }
}

bool Scheduler::finish(RequestId request) {
  const auto found = sequences_.find(request);
  if (found == sequences_.end()) return false;
  Sequence& sequence = found->second;
  if (std::erase(running_, &sequence) > 0)
    cache_.release(sequence.slot);
  else if (std::erase(preempted_, &sequence) == 0)
    queue_.remove(sequence.owner, request);
  queue_.leave(sequence.owner);
  sequences_.erase(found);
  return true;
}

}  // namespace premise
