// Which tokens the next step computes: pure policy over integers, no device and no clock.
//
// A step first carries one token of each running sequence that generates, then fills its budget
// with prompts, cut into chunks; prompts of the least-served owner go first. While others generate,
// the budget is a few tokens for each prompt being read or for each sequence that generates, since
// every token of a prompt delays every stream: see SchedulerLimits.
//
// Where guessing is on, a generating sequence's token is followed by what the text suggests comes
// next (guesser.h): the step checks all of it at once and keeps what the model draws itself.
//
// A request is admitted when the cache has blocks for what is known of its text and for a block of
// growth of everyone running: not for its longest possible answer, which most never reach. Where
// blocks run out after all, the youngest running sequence is thrown out and later computed again
// from its text (its drawn tokens stay, so that what was said stays said). Older sequences never
// wait for younger ones and one sequence alone always fits (add() demands it), hence every step
// computes something and every request ends. Throwing out was preferred to copying blocks away: the
// prompt is read again at a hundred times the speed of decoding, much of it from the prefix tree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/cache/kv_cache.h"
#include "engine/request/request.h"
#include "engine/scheduler/fair_queue.h"
#include "engine/scheduler/guesser.h"

namespace premise {

struct SchedulerLimits {
  std::size_t tokens_per_step = 512;
  std::size_t sequences = 1;  // running at once

  /// Tokens that each prompt being read may add to a step in which others generate; at least 1. A
  /// stream waits d + n·p for its next token when n prompt tokens ride along: d a decode step
  /// alone, p a prompt token. For Gemma 3 270M on two cores d is 12 to 20 ms and p 1/960 s, so 16
  /// keep that wait at 2.4·d or less, under the 3·d that people notice as a stall, with room for
  /// the longer attention deep in a prompt. A fixed share of the 512 would stretch it to 45 times
  /// d. When several prompts are read the steps grow with their number, since otherwise the
  /// reading, not the generating, would bound what a full server delivers; then every step is such
  /// a step and the streams stay even.
  std::size_t chunk_beside_decode = 16;

  /// Guessed tokens that one step may check, of all sequences together; 0: none. A step of 8 tokens
  /// takes about as long as two of one token where the weights are read from memory, one of 16 as
  /// long as three; the more sequences generate anyway, the less there is to gain.
  std::size_t guesses_per_step = 0;

  /// Prompt tokens that a step may carry for each sequence that generates in it, where that is more
  /// than the chunks: d grows with their number, and so does what a prompt may add to it. Wide
  /// steps also read the weights once for more tokens. 16 clients with prompts of 256 and answers
  /// of 64 tokens, Gemma 3 270M, two cores of a Zen 5, medians of four alternating rounds, and an
  /// 8,000-token prompt among 4 streams:
  ///   tokens                                8    12    16
  ///   output tokens a second              568   584   587
  ///   first token, P50, ms                138   162   160
  ///   between tokens, P50, ms            17.0  13.3  12.8
  ///   between tokens, P99, ms              44    54    65
  ///   8,000 tokens read in, s             6.4         3.8
  ///   between tokens then, P50, ms         26          31
  ///   between tokens then, P99, ms         37          40
  /// Answers are whole sooner and long prompts are read sooner; a stream whose longest waits are 65
  /// ms still writes faster than anybody reads.
  std::size_t prompt_tokens_per_decode = 16;
};

/// What is asked of the scheduler. fits(prompt.size() + max_tokens) holds.
struct ScheduledRequest {
  RequestId id = 0;  // rising
  OwnerId owner = 0;
  PrefixScope scope;
  std::vector<TokenId> prompt;  // at least one token
  std::size_t max_tokens = 0;
};

/// One sequence's part of a step: tokens [first, first + tokens.size()) of its text.
struct StepEntry {
  RequestId request = 0;
  SequenceSlot slot = 0;
  std::size_t first = 0;
  std::span<const TokenId> tokens;  // valid until commit() or finish()
  bool wants_logits = false;        // the part reaches the end of what is known: draw the next
  std::size_t guesses = 0;          // of its tokens, at the end: not part of the text unless drawn

  /// Of its last tokens, as many logits are wanted: each draws what follows it, as long as the
  /// token before came true.
  std::size_t logits_rows() const { return wants_logits ? 1 + guesses : 0; }
};

/// What an entry's logits gave, in order: a guess that came true each but the last. Empty where
/// nothing was wanted, or the request ends without another token.
using DrawnTokens = std::vector<TokenId>;

struct StepPlan {
  std::vector<StepEntry> entries;
  std::size_t tokens = 0;
  bool empty() const { return entries.empty(); }
};

/// Since the scheduler was made.
struct SchedulerCounters {
  std::uint64_t prefix_lookups = 0;  // requests admitted whose scope shares
  std::uint64_t prefix_hits = 0;     // of them, those that found a beginning
  std::uint64_t cached_tokens = 0;   // prompt tokens that need not be computed
  std::uint64_t preemptions = 0;
  std::uint64_t guessed_tokens = 0;  // that were checked
  std::uint64_t guessed_right = 0;   // of them, those that the model drew itself
};

/// One thread at a time; the cache is borrowed and changed by plan, commit and finish.
class Scheduler {
 public:
  Scheduler(SchedulerLimits limits, KvCache& cache);

  /// Whether a request of this many tokens, prompt and answer, could ever run.
  bool fits(std::size_t total_tokens) const;

  /// Queues a request.
  void add(ScheduledRequest request);

  /// The next step; empty only when nothing is queued or running. Each plan is followed by
  /// commit().
  StepPlan plan();

  /// Takes a computed step over; `drawn` says for each entry which tokens are appended to its text:
  /// at most logits_rows(), and all but the last are its guesses.
  void commit(const StepPlan& plan, std::span<const DrawnTokens> drawn);

  /// Forgets a request, queued or running, and frees its blocks. False where it is unknown.
  bool finish(RequestId request);

  /// Prompt and what was drawn. The request is known.
  std::span<const TokenId> text(RequestId request) const { return sequences_.at(request).text; }
  /// Tokens of the prompt that were found in the cache on admission.
  std::size_t cached_tokens(RequestId request) const { return sequences_.at(request).cached; }

  std::size_t running() const { return running_.size(); }
  std::size_t waiting() const { return queue_.waiting() + preempted_.size(); }
  const SchedulerCounters& counters() const { return counters_; }

 private:
  struct Sequence {
    RequestId request = 0;
    OwnerId owner = 0;
    PrefixScope scope;
    std::vector<TokenId> text;
    std::size_t total = 0;     // tokens it may reach
    std::size_t computed = 0;  // tokens in the cache
    std::size_t cached = 0;
    SequenceSlot slot = 0;           // while running
    std::optional<std::size_t> age;  // order of first admission: smaller is older
    Guesser guesser;
    std::vector<TokenId> with_guesses;  // the tokens of the present step, where it checks guesses
  };
  std::size_t blocks_of(std::size_t group, std::size_t total_tokens) const;
  void admit();
  bool enter(Sequence& sequence);
  bool has_room_beside_running(const Sequence& sequence) const;
  std::size_t blocks_wanted(const Sequence& sequence, std::size_t group) const;
  void plan_decodes(StepPlan& plan);
  void plan_guesses(StepPlan& plan);
  void plan_prompts(StepPlan& plan);
  void plan_oldest(StepPlan& plan);
  void take(StepPlan& plan, const Sequence& sequence, std::size_t count);
  std::size_t readable(const Sequence& sequence) const;
  bool make_room(const Sequence& sequence, std::size_t length);
  void preempt(Sequence& sequence);

  SchedulerLimits limits_;
  KvCache& cache_;
  std::unordered_map<RequestId, Sequence> sequences_;  // all that are known; addresses stay
  FairQueue queue_;                                    // never admitted yet
  std::vector<Sequence*> preempted_;                   // oldest first; they go before the queue
  std::vector<Sequence*> running_;                     // oldest first
  std::size_t next_age_ = 0;
  SchedulerCounters counters_;
};

}  // namespace premise
