#include "engine/scheduler/fair_queue.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace premise {

void FairQueue::push(OwnerId owner, RequestId request) {
  const auto [found, fresh] = owners_.try_emplace(owner);
  Owner& o = found->second;
  if (o.live == 0) {
    o.served = std::max(o.served, now_);
    if (!fresh) --absent_;
  }
  ++o.live;
  ++live_;
  o.waiting.push_back(request);
  ++waiting_;
}

std::optional<RequestId> FairQueue::next() const {
  std::optional<std::pair<std::uint64_t, RequestId>> best;  // equal accounts: who came first
  for (const auto& [id, owner] : owners_) {
    if (owner.waiting.empty()) continue;
    const std::pair candidate(owner.served, owner.waiting.front());
    if (!best || candidate < *best) best = candidate;
  }
  if (!best) return std::nullopt;
  return best->second;
}

bool FairQueue::remove(OwnerId owner, RequestId request) {
  auto& waiting = owners_.at(owner).waiting;
  const auto found = std::ranges::find(waiting, request);
  if (found == waiting.end()) return false;
  waiting.erase(found);
  --waiting_;
  return true;
}

void FairQueue::choose(OwnerId owner) { now_ = std::max(now_, owners_.at(owner).served); }

void FairQueue::charge(OwnerId owner, std::size_t tokens) { owners_.at(owner).served += tokens; }

void FairQueue::leave(OwnerId owner) {
  Owner& o = owners_.at(owner);
  assert(o.live > 0 && live_ > 0);
  --live_;
  if (--o.live > 0) return;
  if (live_ == 0) {
    owners_.clear();
    now_ = 0;
    absent_ = 0;
  } else if (++absent_ > absent_kept) {
    forgive();
  }
}

// Bounded memory comes before an exact account of thousands who are not here.
void FairQueue::forgive() {
  std::erase_if(owners_, [](const auto& entry) { return entry.second.live == 0; });
  absent_ = 0;
}

}  // namespace premise
