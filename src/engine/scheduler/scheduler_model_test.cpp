// The laws of scheduling, under thousands of random histories with a backend that computes nothing
// but remembers what was written where.
//
// For every position the fake memory holds a fingerprint of the text up to it, which is what keys
// and values depend on. Each step writes the fingerprints of its tokens and then reads back, in
// every group, all positions that attention would see: a block that was owned twice, written while
// shared, freed too early or taken over from a different text shows as a wrong fingerprint. The
// next token is a function of the text, so that a request's answer is known beforehand, whatever
// company, prefix hit, preemption or cancellation it meets.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "engine/scheduler/scheduler.h"

namespace premise {
namespace {

constexpr std::int32_t block_tokens = 4;

std::uint64_t fingerprint(std::span<const TokenId> text) {
  std::uint64_t print = 1;
  for (const TokenId token : text)
    print = (print ^ static_cast<std::uint64_t>(token + 1)) * 0x9e3779b97f4a7c15u + (print >> 29);
  return print;
}

TokenId next_token(std::span<const TokenId> text) {
  return static_cast<TokenId>((fingerprint(text) >> 20) % 3);
}

class Memory {
 public:
  explicit Memory(const std::vector<CacheGroupSpec>& groups) {
    for (const CacheGroupSpec& group : groups)
      prints_.emplace_back(group.blocks * static_cast<std::size_t>(block_tokens), 0);
  }

  std::uint64_t* at(const KvCache& cache, SequenceSlot slot, std::size_t group,
                    std::size_t position) {
    const auto block = cache.table(slot, group)[position / block_tokens];
    if (block == KvCache::no_block) return nullptr;
    return &prints_[group][static_cast<std::size_t>(block * block_tokens) +
                           position % static_cast<std::size_t>(block_tokens)];
  }

 private:
  std::vector<std::vector<std::uint64_t>> prints_;
};

struct World {
  std::vector<CacheGroupSpec> groups;
  SchedulerLimits limits;
};

class History {
 public:
  History(const World& world, std::uint32_t seed)
      : limits_(world.limits),
        random_(seed),
        cache_(world.groups, block_tokens),
        memory_(world.groups),
        scheduler_(world.limits, cache_) {
    for (auto& start : starts_)
      for (int i = 0; i < 40; ++i) start.push_back(static_cast<TokenId>(below(3)));
  }

  void run(int rounds) {
    for (int round = 0; round < rounds && !::testing::Test::HasFatalFailure(); ++round) {
      while (below(3) == 0 && live_.size() < 12) submit();
      step(below(6) == 0);
      if (below(9) == 0 && !live_.empty())
        end(std::next(live_.begin(), below(live_.size()))->first);
    }
    // Every request ends in a bounded number of steps: each computes at least one token.
    for (int left = 0; !live_.empty() && !::testing::Test::HasFatalFailure(); ++left) {
      ASSERT_LT(left, 5000);
      step(false);
    }
    check_idle();
  }

  const SchedulerCounters& counters() const { return scheduler_.counters(); }

 private:
  struct Expected {
    std::vector<TokenId> prompt;
    std::size_t total = 0;
  };

  std::size_t below(std::size_t bound) { return random_() % bound; }

  void submit() {
    const auto& start = starts_[below(2)];
    std::vector<TokenId> prompt(start.begin(), start.begin() + static_cast<long>(below(40)));
    for (std::size_t i = 1 + below(12); i > 0; --i)
      prompt.push_back(static_cast<TokenId>(below(3)));
    const std::size_t answer = below(30);
    if (!scheduler_.fits(prompt.size() + answer)) return;
    const RequestId id = next_id_++;
    live_[id] = {prompt, prompt.size() + answer};
    scheduler_.add({id, below(3), {.salt = below(3)}, prompt, answer});
  }

  void step(bool with_loss) {
    const StepPlan plan = scheduler_.plan();
    ASSERT_EQ(plan.empty(), live_.empty()) << "progress while there is work";
    ASSERT_LE(plan.tokens, limits_.tokens_per_step);
    ASSERT_LE(plan.entries.size(), limits_.sequences);
    ASSERT_EQ(scheduler_.running() + scheduler_.waiting(), live_.size());
    for (const StepEntry& entry : plan.entries) ASSERT_NO_FATAL_FAILURE(write(entry));
    for (const StepEntry& entry : plan.entries) ASSERT_NO_FATAL_FAILURE(read(entry));
    if (with_loss && !plan.empty())  // somebody gives up while the step runs
      end(plan.entries[below(plan.entries.size())].request);
    std::vector<DrawnTokens> drawn;
    std::vector<RequestId> ended;
    for (const StepEntry& entry : plan.entries) {
      drawn.emplace_back();
      const auto found = live_.find(entry.request);
      if (!entry.wants_logits || found == live_.end()) continue;
      const std::size_t total = found->second.total;
      drawn.back() = draw(entry, total);
      if (scheduler_.text(entry.request).size() + drawn.back().size() >= total)
        ended.push_back(entry.request);
    }
    scheduler_.commit(plan, drawn);
    for (const RequestId id : ended) {
      check_answer(id);
      end(id);
    }
    ASSERT_TRUE(cache_.consistent());
  }

  /// The text as the step has it: with its guesses.
  std::vector<TokenId> text_of(const StepEntry& entry) const {
    const auto text = scheduler_.text(entry.request);
    std::vector<TokenId> all(text.begin(), text.end());
    const auto guesses = entry.tokens.last(entry.guesses);
    all.insert(all.end(), guesses.begin(), guesses.end());
    return all;
  }

  DrawnTokens draw(const StepEntry& entry, std::size_t total) {
    DrawnTokens drawn;
    const std::vector<TokenId> text = text_of(entry);
    std::size_t length = text.size() - entry.guesses;
    while (length < total) {
      drawn.push_back(next_token(std::span(text).first(length)));
      if (length == text.size() || text[length] != drawn.back()) break;
      ++length;
    }
    return drawn;
  }

  void write(const StepEntry& entry) {
    const std::vector<TokenId> whole = text_of(entry);
    const std::span<const TokenId> text = whole;
    ASSERT_FALSE(entry.tokens.empty());
    ASSERT_EQ(entry.wants_logits, entry.first + entry.tokens.size() == text.size());
    ASSERT_LE(text.size() + (entry.guesses > 0 ? 1 : 0), live_.at(entry.request).total);
    for (std::size_t p = entry.first; p < entry.first + entry.tokens.size(); ++p) {
      ASSERT_EQ(entry.tokens[p - entry.first], text[p]);
      for (std::size_t g = 0; g < cache_.group_count(); ++g) {
        std::uint64_t* place = memory_.at(cache_, entry.slot, g, p);
        ASSERT_NE(place, nullptr);
        *place = fingerprint(text.first(p + 1));
      }
    }
  }

  void read(const StepEntry& entry) {
    const std::vector<TokenId> whole = text_of(entry);
    const std::span<const TokenId> text = whole;
    for (std::size_t g = 0; g < cache_.group_count(); ++g) {
      const std::size_t window = cache_.window(g);
      const std::size_t first = window == 0 || entry.first < window ? 0 : entry.first - window + 1;
      for (std::size_t p = first; p < entry.first + entry.tokens.size(); ++p) {
        const std::uint64_t* place = memory_.at(cache_, entry.slot, g, p);
        ASSERT_NE(place, nullptr) << "position " << p << " of group " << g;
        ASSERT_EQ(*place, fingerprint(text.first(p + 1))) << "position " << p << " of group " << g;
      }
    }
  }

  void check_answer(RequestId id) {
    std::vector<TokenId> expected = live_.at(id).prompt;
    while (expected.size() < live_.at(id).total) expected.push_back(next_token(expected));
    const auto text = scheduler_.text(id);
    EXPECT_TRUE(std::ranges::equal(text, expected)) << "request " << id;
  }

  void end(RequestId id) {
    ASSERT_EQ(live_.erase(id), 1u);
    ASSERT_TRUE(scheduler_.finish(id));
    ASSERT_FALSE(scheduler_.finish(id)) << "a request ends once";
  }

  void check_idle() {
    EXPECT_TRUE(scheduler_.plan().empty());
    EXPECT_EQ(scheduler_.running() + scheduler_.waiting(), 0u);
    EXPECT_EQ(cache_.open_sequences(), 0u);
    EXPECT_TRUE(cache_.consistent());
    for (std::size_t g = 0; g < cache_.group_count(); ++g)
      EXPECT_EQ(cache_.blocks_free(g), cache_.blocks_total(g));
  }

  SchedulerLimits limits_;
  std::mt19937 random_;
  std::vector<TokenId> starts_[2];
  KvCache cache_;
  Memory memory_;
  Scheduler scheduler_;
  std::map<RequestId, Expected> live_;
  RequestId next_id_ = 1;
};

// Full attention; a window beside it, as in Gemma; windows alone; two full groups; and pools so
// small that requests throw each other out.
const World worlds[] = {
    {{{0, 60}}, {.tokens_per_step = 24, .sequences = 5, .chunk_beside_decode = 4}},
    {{{0, 24}, {6, 40}}, {.tokens_per_step = 16, .sequences = 5, .chunk_beside_decode = 4}},
    {{{9, 30}}, {.tokens_per_step = 16, .sequences = 4, .chunk_beside_decode = 3}},
    {{{0, 22}, {0, 30}, {5, 21}}, {.tokens_per_step = 7, .sequences = 6, .chunk_beside_decode = 1}},
    {{{0, 21}}, {.tokens_per_step = 64, .sequences = 8, .chunk_beside_decode = 64}},
    {{{0, 21}, {8, 9}}, {.tokens_per_step = 3, .sequences = 8, .chunk_beside_decode = 2}},
    {{{0, 24}, {6, 40}},
     {.tokens_per_step = 16, .sequences = 5, .chunk_beside_decode = 4, .guesses_per_step = 6}},
    {{{0, 21}},
     {.tokens_per_step = 64, .sequences = 8, .chunk_beside_decode = 64, .guesses_per_step = 30}},
};

TEST(SchedulerModel, whatever_comes_and_goes_the_laws_hold) {
  SchedulerCounters seen;
  for (const World& world : worlds) {
    for (std::uint32_t seed = 1; seed <= 60; ++seed) {
      SCOPED_TRACE(fmt::format("world {}, seed {}", &world - worlds, seed));
      History history(world, seed);
      history.run(60);
      if (HasFailure()) return;
      seen.prefix_hits += history.counters().prefix_hits;
      seen.preemptions += history.counters().preemptions;
      seen.guessed_tokens += history.counters().guessed_tokens;
      seen.guessed_right += history.counters().guessed_right;
    }
  }
  EXPECT_GT(seen.prefix_hits, 500u) << "the histories meet what they are to test";
  EXPECT_GT(seen.preemptions, 200u);
  EXPECT_GT(seen.guessed_right, 100u);
  EXPECT_GT(seen.guessed_tokens, seen.guessed_right + 100);
}

}  // namespace
}  // namespace premise
