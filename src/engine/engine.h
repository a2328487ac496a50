// One model being served: requests in, tokens out.
//
// The engine owns the compiled model, the books of its cache and the requests it has accepted; it
// is driven from outside, one step at a time, and starts no thread of its own. A command runs the
// steps in a loop; a service does so on a thread of its own.
//
//   plan = scheduler.plan()        which tokens of which sequences
//   launch, collect                the backend computes them
//   draw, commit                   samplers choose, cache and scheduler move on
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "engine/backend/backend.h"
#include "engine/cache/cache_size.h"
#include "engine/cache/kv_cache.h"
#include "engine/host.h"
#include "engine/request/request.h"
#include "engine/sampling/sampler.h"
#include "engine/scheduler/scheduler.h"
#include "model/formats/tensor_source.h"
#include "model/plan/plan.h"

namespace premise {

/// Guesses a step where speculation is on: what paid on two cores of Zen 4 with Gemma 3 270M.
inline constexpr std::size_t usual_guesses_per_step = 8;

struct EngineOptions {
  std::size_t context = 0;    // tokens a request may have; 0: what the model was made for
  std::size_t sequences = 1;  // requests computed at the same time
  std::size_t tokens_per_step = 0;  // prompt and answer tokens computed together; 0:
                                    // usual_step_tokens()
  std::size_t cache_tokens = 0;   // that all sequences together may hold; 0: `context` for each.
                                  // Fewer save memory: most answers end early, and where blocks run
                                  // out nevertheless the youngest request is computed again later
  std::uint64_t cache_bytes = 0;  // that the cache may take in memory, at least one request of
                                  // `context` tokens; 0: as much as `cache_tokens` says
  std::size_t chunk_beside_decode = SchedulerLimits{}.chunk_beside_decode;
  std::size_t guesses_per_step = SchedulerLimits{}.guesses_per_step;  // speculation; 0: none
  std::optional<DType> kv_type = {};  // of the KV cache; unset: what kv_types() names first
  ActivationBits activations = ActivationBits::sixteen;
  std::optional<PackedCacheOptions> packed_cache = {};  // unset: weights are packed at each load
};

/// Where an engine stands, as plain numbers for metrics.
struct EngineStats {
  struct Group {
    std::uint32_t window = 0;     // of the cache group; 0: full attention
    std::size_t blocks_used = 0;  // held by running requests
    std::size_t blocks_kept = 0;  // held by nobody, kept for their content
    std::size_t blocks_total = 0;
  };
  std::size_t running = 0;
  std::size_t waiting = 0;        // accepted, and not being computed
  std::size_t prompt_tokens = 0;  // that the last step read
  std::size_t decode_rows = 0;    // sequences that generated in it; a prompt's last token alone too
  std::vector<Group> groups;
  SchedulerCounters counters;
};

/// One thread at a time. The source and the host outlive it.
class Engine {
 public:
  /// What create() finds wrong with `options` before it looks at this machine's memory and loads:
  /// a context or a KV type that the model or `isa` has not, a cache too small for one request.
  static Status check(const TensorSource& source, Isa isa, const EngineOptions& options);

  /// Plans, checks that memory suffices, and loads. Every weight is in memory when it returns.
  static Result<std::unique_ptr<Engine>> create(const TensorSource& source, Host& host,
                                                const EngineOptions& options);

  /// Accepts a request or says why not: empty or too long (by how much), tokens outside the
  /// vocabulary, sampling parameters out of range.
  Result<RequestId> submit(Request request);

  /// Ends a request; the next step frees its blocks before it computes anything and brings its last
  /// event. Unknown ids are ignored.
  void cancel(RequestId id);

  bool idle() const { return requests_.empty(); }

  /// Computes one step and appends what it brought. Nothing to do: returns at once.
  /// `begun`, where given, gets the requests whose computing began with this step.
  void step(std::vector<TokenEvent>& events, std::vector<RequestId>* begun = nullptr);

  /// Reads `tokens` as one sequence from an empty cache and hands the logits of every position from
  /// `first` on to `visit`, in order. The engine is idle. An Error from `visit` ends the reading.
  Status score(std::span<const TokenId> tokens, std::size_t first,
               const std::function<Status(std::size_t position, std::span<float> logits)>& visit);

  EngineStats stats() const;

  /// Whether the idle engine has let go of everything: no sequence, no held block, no holder left.
  /// Costs a walk over the cache's books.
  bool clean() const;

  const Plan& plan() const { return plan_; }
  std::size_t context() const { return context_; }
  std::size_t sequences() const { return options_.sequences; }
  DType kv_type() const { return kv_type_; }
  const Executable& executable() const { return *executable_; }

 private:
  struct Active {
    Request request;  // its prompt has gone to the scheduler
    Sampler sampler;
    std::size_t generated = 0;
    bool begun = false;
    bool cancelled = false;

    /// Needs the largest logit of a row, and nothing else of it.
    bool wants_peak() const { return sampler.takes_peak() && !request.logprobs; }
  };
  // The arrays behind a BatchView.
  struct Staging {
    std::vector<std::int32_t> tokens, positions, query_start, context_len, logits_rows;
    std::vector<std::vector<std::int32_t>> tables;  // [group]: [sequences, stride]
    std::vector<BlockTableView> views;

    void clear();
    void add(std::span<const TokenId> run, std::size_t first, SequenceSlot slot,
             const KvCache& cache, std::size_t stride);
    BatchView view(std::size_t peak_rows = 0);
  };

  Engine(Plan plan, EngineOptions options, std::size_t context, DType kv_type);
  static Result<std::unique_ptr<Engine>> plan_for(const TensorSource& source, Isa isa,
                                                  const EngineOptions& options);
  Status check_cache(std::string_view model) const;
  std::vector<CacheGroupNeed> cache_needs() const;
  void create_cache();
  BatchLimits limits() const;
  void end_cancelled(std::vector<TokenEvent>& events);
  void count_work(const StepPlan& plan);
  std::vector<std::size_t> stage(const StepPlan& plan, std::size_t& peak_rows);
  DrawnTokens draw_all(const StepEntry& entry, const LogitsView& logits, std::size_t row,
                       std::vector<TokenEvent>& events);
  std::optional<TokenId> draw(const StepEntry& entry, const LogitsView& logits, std::size_t row,
                              std::vector<TokenEvent>& events);
  void finish(RequestId id, FinishReason reason, TokenEvent event, std::vector<TokenEvent>& events);

  Plan plan_;
  EngineOptions options_;
  std::size_t context_;
  DType kv_type_;
  std::size_t table_stride_;  // blocks of the longest sequence
  std::unique_ptr<KvCache> cache_;
  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<Executable> executable_;
  std::unordered_map<RequestId, Active> requests_;
  RequestId next_id_ = 1;
  std::size_t prompt_tokens_ = 0, decode_rows_ = 0;  // of the last step
  Staging staging_;
};

}  // namespace premise
