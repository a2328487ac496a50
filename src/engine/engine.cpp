#include "engine/engine.h"

#include <algorithm>
#include <cassert>

#include "engine/sampling/logprobs.h"
#include "model/plan/architecture.h"
#include "numerics/kernels/step_tokens.h"

namespace premise {
namespace {

// Logits held at once while a text is scored: 64 MiB, of which 64 rows of a vocabulary of 262,144.
constexpr std::size_t score_logits_bytes = std::size_t{64} << 20;

std::size_t score_rows(const Plan& plan, std::size_t tokens_per_step) {
  const std::size_t fitting = score_logits_bytes / (plan.vocabulary * sizeof(float));
  return std::clamp<std::size_t>(fitting, 1, tokens_per_step);
}

Result<DType> choose_kv_type(std::optional<DType> asked, Isa isa, std::string_view model) {
  const std::span<const DType> offered = kv_types(isa);
  if (!asked) return offered.front();
  if (std::ranges::find(offered, *asked) != offered.end()) return *asked;
  std::string names;
  for (const DType type : offered)
    names += fmt::format("{}{}", names.empty() ? "" : ", ", traits(type).name);
  return error(ErrorCode::usage,
               {"{}: a KV cache of type {} was asked for; with {} it can be: {}",
                "{}：请求的 KV 缓存类型为 {}；使用 {} 计算时可选：{}"},
               model, traits(*asked).name, name_of(isa), names);
}

// An upper bound that needs no packing: packed weights are within 6 % of the file's.
std::uint64_t estimate_bytes(const Plan& plan, const TensorSource& source,
                             const BatchLimits& limits) {
  std::uint64_t bytes = 0;
  for (const Weight& weight : plan.weights) bytes += source.tensors()[weight.source_index].bytes;
  bytes += bytes / 16;
  for (std::size_t g = 0; g < plan.groups.size(); ++g)
    bytes += limits.blocks[g] * kv_block_bytes(plan.groups[g], limits.kv_type);
  return bytes + limits.logits_rows * plan.vocabulary * sizeof(float);
}

}  // namespace

Engine::Engine(Plan plan, EngineOptions options, std::size_t context, DType kv_type)
    : plan_(std::move(plan)), options_(std::move(options)), context_(context), kv_type_(kv_type) {
  constexpr auto block = static_cast<std::size_t>(kv_block_tokens);
  table_stride_ = (context_ + block - 1) / block;
}

Result<std::unique_ptr<Engine>> Engine::plan_for(const TensorSource& source, Isa isa,
                                                 const EngineOptions& options) {
  PREMISE_TRY(Plan plan, plan_model({source, options.context}));
  if (options.context > plan.context_length)
    return error(ErrorCode::usage,
                 {"{}: a context of {} tokens was asked for; the model was made for {}",
                  "{}：请求的上下文为 {} 个词元，而该模型最多支持 {} 个"},
                 source.path(), options.context, plan.context_length);
  PREMISE_TRY(const DType kv_type, choose_kv_type(options.kv_type, isa, source.path()));
  PREMISE_CHECK(check_kv_type(plan, kv_type, source.path()));
  const std::size_t context = options.context == 0 ? plan.context_length : options.context;
  std::unique_ptr<Engine> self(new Engine(std::move(plan), options, context, kv_type));
  if (options.tokens_per_step == 0) self->options_.tokens_per_step = usual_step_tokens(isa);
  PREMISE_CHECK(self->check_cache(source.path()));
  return self;
}

Status Engine::check(const TensorSource& source, Isa isa, const EngineOptions& options) {
  auto planned = plan_for(source, isa, options);
  return planned.ok() ? Status() : Status(std::move(planned).error());
}

Result<std::unique_ptr<Engine>> Engine::create(const TensorSource& source, Host& host,
                                               const EngineOptions& options) {
  PREMISE_TRY(auto self, plan_for(source, host.isa(), options));
  self->create_cache();
  const BatchLimits limits = self->limits();
  PREMISE_CHECK(host.afford(estimate_bytes(self->plan_, source, limits),
                            text({"{} with a context of {} tokens", "{}（上下文 {} 个词元）"},
                                 source.path(), self->context_)));
  if (host.isa() == Isa::ref) {
    PREMISE_TRY(self->executable_, compile_reference(self->plan_, source, host.team(), limits));
  } else {
    PREMISE_TRY(self->executable_,
                compile_cpu(self->plan_, source, host.team(), host.isa(), limits,
                            options.packed_cache ? &*options.packed_cache : nullptr));
  }
  return self;
}

Status Engine::check_cache(std::string_view model) const {
  if (options_.cache_tokens != 0 && options_.cache_tokens < context_)
    return error(ErrorCode::usage,
                 {"{}: a cache of {} tokens cannot hold one request of {} tokens, the context",
                  "{}：{} 个词元的缓存容纳不下一个达到上下文长度（{} 个词元）的请求"},
                 model, options_.cache_tokens, context_);
  const std::uint64_t least = least_cache_bytes(cache_needs());
  if (options_.cache_bytes != 0 && options_.cache_bytes < least)
    return error(ErrorCode::usage,
                 {"{}: a KV cache of {} bytes cannot hold one request of {} tokens, the context: "
                  "that takes {} bytes",
                  "{}：{} 字节的 KV 缓存容纳不下一个达到上下文长度（{} 个词元）的请求：至少需要 {} "
                  "字节"},
                 model, options_.cache_bytes, context_, least);
  return {};
}

std::vector<CacheGroupNeed> Engine::cache_needs() const {
  std::vector<CacheGroupNeed> needs;
  for (const CacheGroup& group : plan_.groups)
    needs.push_back(
        {KvCache::blocks_needed(group.window, kv_block_tokens, context_, options_.tokens_per_step),
         kv_block_bytes(group, kv_type_)});
  return needs;
}

void Engine::create_cache() {
  const std::vector<CacheGroupNeed> needs = cache_needs();
  std::vector<std::size_t> bounded;
  if (options_.cache_bytes != 0)
    bounded = cache_blocks_within(needs, options_.sequences, options_.cache_bytes);
  std::vector<CacheGroupSpec> specs;
  for (std::size_t g = 0; g < plan_.groups.size(); ++g) {
    const std::uint32_t window = plan_.groups[g].window;
    std::size_t most = bounded.empty() ? needs[g].blocks * options_.sequences : bounded[g];
    if (options_.cache_tokens != 0 && window == 0)
      most = std::min(most, KvCache::blocks_needed(0, kv_block_tokens, options_.cache_tokens, 0));
    specs.push_back({window, most});
  }
  cache_ = std::make_unique<KvCache>(std::move(specs), kv_block_tokens);
  scheduler_ = std::make_unique<Scheduler>(
      SchedulerLimits{.tokens_per_step = options_.tokens_per_step,
                      .sequences = options_.sequences,
                      .chunk_beside_decode = options_.chunk_beside_decode,
                      .guesses_per_step = options_.guesses_per_step},
      *cache_);
  staging_.tables.resize(plan_.groups.size());
  staging_.views.resize(plan_.groups.size());
}

BatchLimits Engine::limits() const {
  BatchLimits limits;
  limits.tokens = options_.tokens_per_step;
  limits.sequences = options_.sequences;
  limits.logits_rows = std::max(options_.sequences + options_.guesses_per_step,
                                score_rows(plan_, options_.tokens_per_step));
  for (std::size_t g = 0; g < plan_.groups.size(); ++g)
    limits.blocks.push_back(cache_->blocks_total(g));
  limits.kv_type = kv_type_;
  limits.activations = options_.activations;
  return limits;
}

Result<RequestId> Engine::submit(Request request) {
  PREMISE_CHECK(premise::check(request.sampling));
  if (request.prompt.empty()) return error(ErrorCode::usage, {"the prompt is empty", "提示为空"});
  // Saturating: a max_tokens near the largest number must not wrap around to a short request.
  const std::size_t total =
      request.prompt.size() + std::min(request.max_tokens, SIZE_MAX - request.prompt.size());
  if (total > context_ || !scheduler_->fits(total))
    return error(ErrorCode::usage,
                 {"prompt of {} tokens plus {} to generate is {} tokens; the context holds {}, "
                  "{} too many",
                  "提示 {} 个词元加上要生成的 {} 个共 {} 个词元；上下文只有 {} 个，超出 {} 个"},
                 request.prompt.size(), request.max_tokens, total, context_, total - context_);
  for (const TokenId token : request.prompt)
    if (token < 0 || static_cast<std::uint64_t>(token) >= plan_.vocabulary)
      return error(ErrorCode::usage,
                   {"token {} is outside the vocabulary of {}", "词元 {} 超出词表范围（{}）"},
                   token, plan_.vocabulary);
  const RequestId id = next_id_++;
  Sampler sampler(request.sampling, request.prompt);
  const PrefixScope scope{.salt = request.prefix_salt};
  scheduler_->add({id, request.owner, scope, std::move(request.prompt), request.max_tokens});
  requests_.emplace(id, Active{std::move(request), std::move(sampler)});
  return id;
}

void Engine::cancel(RequestId id) {
  if (const auto found = requests_.find(id); found != requests_.end())
    found->second.cancelled = true;
}

void Engine::finish(RequestId id, FinishReason reason, TokenEvent event,
                    std::vector<TokenEvent>& events) {
  event.request = id;
  event.finish = reason;
  event.cached_tokens = scheduler_->cached_tokens(id);
  events.push_back(std::move(event));
  scheduler_->finish(id);
  requests_.erase(id);
}

void Engine::end_cancelled(std::vector<TokenEvent>& events) {
  std::vector<RequestId> ended;
  for (const auto& [id, active] : requests_) {
    if (active.cancelled) ended.push_back(id);
  }
  std::ranges::sort(ended);
  for (const RequestId id : ended) finish(id, FinishReason::cancelled, {}, events);
}

void Engine::count_work(const StepPlan& plan) {
  for (const StepEntry& entry : plan.entries) {
    if (entry.wants_logits && entry.tokens.size() == 1 + entry.guesses)
      ++decode_rows_;
    else
      prompt_tokens_ += entry.tokens.size();
  }
}

void Engine::step(std::vector<TokenEvent>& events, std::vector<RequestId>* begun) {
  end_cancelled(events);
  prompt_tokens_ = decode_rows_ = 0;
  const StepPlan plan = scheduler_->plan();
  if (plan.empty()) return;

  count_work(plan);
  if (begun != nullptr)
    for (const StepEntry& entry : plan.entries)
      if (!std::exchange(requests_.at(entry.request).begun, true)) begun->push_back(entry.request);
  std::size_t peak_rows = 0;
  const std::vector<std::size_t> rows = stage(plan, peak_rows);
  const BatchView batch = staging_.view(peak_rows);
  const LogitsView logits = executable_->collect(executable_->launch(batch));

  // The scheduler hears of every token before finished requests leave it.
  std::vector<TokenEvent> drawn_events;
  std::vector<DrawnTokens> drawn;
  for (std::size_t i = 0; i < plan.entries.size(); ++i)
    drawn.push_back(draw_all(plan.entries[i], logits, rows[i], drawn_events));
  scheduler_->commit(plan, drawn);
  for (TokenEvent& event : drawn_events) {
    if (const auto reason = event.finish) {
      const RequestId id = event.request;
      finish(id, *reason, std::move(event), events);
    } else {
      events.push_back(std::move(event));
    }
  }
}

// Lays the step's batch down and returns each entry's first row of logits: whole rows come before
// those of which the peak is enough.
std::vector<std::size_t> Engine::stage(const StepPlan& plan, std::size_t& peak_rows) {
  staging_.clear();
  for (const StepEntry& entry : plan.entries)
    staging_.add(entry.tokens, entry.first, entry.slot, *cache_, table_stride_);
  std::vector<std::size_t> rows(plan.entries.size());
  const auto add_rows = [&](bool peaks) {
    for (std::size_t i = 0; i < plan.entries.size(); ++i) {
      const StepEntry& entry = plan.entries[i];
      const bool peak = executable_->finds_peaks() && requests_.at(entry.request).wants_peak();
      if (peak != peaks) continue;
      rows[i] = staging_.logits_rows.size();
      for (std::size_t left = entry.logits_rows(); left > 0; --left)
        staging_.logits_rows.push_back(staging_.query_start[i + 1] -
                                       static_cast<std::int32_t>(left));
    }
  };
  add_rows(false);
  const std::size_t whole = staging_.logits_rows.size();
  add_rows(true);
  peak_rows = staging_.logits_rows.size() - whole;
  return rows;
}

// As many tokens as came true, and the one behind them.
DrawnTokens Engine::draw_all(const StepEntry& entry, const LogitsView& logits, std::size_t row,
                             std::vector<TokenEvent>& events) {
  DrawnTokens drawn;
  const std::span<const TokenId> guesses = entry.tokens.last(entry.guesses);
  for (std::size_t i = 0; i < entry.logits_rows(); ++i) {
    const std::optional<TokenId> token = draw(entry, logits, row + i, events);
    if (!token) break;
    drawn.push_back(*token);
    if (events.back().finish || i == guesses.size() || *token != guesses[i]) break;
  }
  return drawn;
}

// Draws the entry's next token, which belongs to the text, or ends the request.
std::optional<TokenId> Engine::draw(const StepEntry& entry, const LogitsView& logits,
                                    std::size_t row, std::vector<TokenEvent>& events) {
  Active& active = requests_.at(entry.request);
  TokenEvent event;
  event.request = entry.request;
  event.cached_tokens = scheduler_->cached_tokens(entry.request);
  if (active.generated >= active.request.max_tokens) {  // max_tokens is 0
    event.finish = FinishReason::length;
    events.push_back(std::move(event));
    return std::nullopt;
  }
  double normalizer = 0.0;
  std::vector<float> kept;  // samplers may change the logits
  if (active.request.logprobs) {
    const std::span<const float> whole = logits.row(row);
    kept.assign(whole.begin(), whole.end());
    normalizer = log_sum_exp(kept);
    event.top = top_logprobs(kept, normalizer, active.request.top_logprobs);
  }
  const TokenId token = row >= logits.rows ? active.sampler.take(logits.peak(row))
                                           : active.sampler.draw(logits.row(row));
  if (token < 0 || std::ranges::count(active.request.stop_tokens, token) > 0) {
    event.finish = token < 0 ? FinishReason::failed : FinishReason::stop;
    events.push_back(std::move(event));
    return std::nullopt;
  }
  event.token = token;
  if (active.request.logprobs)
    event.logprob = static_cast<float>(kept[static_cast<std::size_t>(token)] - normalizer);
  if (++active.generated == active.request.max_tokens) event.finish = FinishReason::length;
  events.push_back(std::move(event));
  return token;
}

EngineStats Engine::stats() const {
  EngineStats stats;
  stats.running = scheduler_->running();
  stats.waiting = scheduler_->waiting();
  stats.prompt_tokens = prompt_tokens_;
  stats.decode_rows = decode_rows_;
  for (std::size_t g = 0; g < cache_->group_count(); ++g)
    stats.groups.push_back({cache_->window(g), cache_->blocks_total(g) - cache_->blocks_free(g),
                            cache_->blocks_kept(g), cache_->blocks_total(g)});
  stats.counters = scheduler_->counters();
  return stats;
}

bool Engine::clean() const {
  for (std::size_t g = 0; g < cache_->group_count(); ++g)
    if (cache_->blocks_free(g) != cache_->blocks_total(g)) return false;
  return idle() && scheduler_->running() == 0 && scheduler_->waiting() == 0 &&
         cache_->open_sequences() == 0 && cache_->consistent();
}

Status Engine::score(
    std::span<const TokenId> tokens, std::size_t first,
    const std::function<Status(std::size_t position, std::span<float> logits)>& visit) {
  assert(idle());
  if (tokens.size() > context_)
    return error(ErrorCode::usage,
                 {"{} tokens are to be read; the context holds {}, {} too many",
                  "要读取 {} 个词元；上下文只有 {} 个，超出 {} 个"},
                 tokens.size(), context_, tokens.size() - context_);
  const std::size_t rows = score_rows(plan_, options_.tokens_per_step);
  const SequenceSlot slot = cache_->open();
  Status status;
  for (std::size_t begin = 0; begin < tokens.size() && status.ok();) {
    // Positions whose logits nobody wants are read in full steps, the others by what fits.
    const bool wanted = begin >= first;
    const std::size_t most = wanted ? rows : std::min(options_.tokens_per_step, first - begin);
    const std::size_t count = std::min(most, tokens.size() - begin);
    const bool grown = cache_->grow(slot, begin + count);
    assert(grown);
    static_cast<void>(grown);
    staging_.clear();
    staging_.add(tokens.subspan(begin, count), begin, slot, *cache_, table_stride_);
    if (wanted)
      for (std::size_t i = 0; i < count; ++i)
        staging_.logits_rows.push_back(static_cast<std::int32_t>(i));
    const BatchView batch = staging_.view();
    const LogitsView logits = executable_->collect(executable_->launch(batch));
    for (std::size_t i = 0; wanted && i < count && status.ok(); ++i)
      status = visit(begin + i, logits.row(i));
    begin += count;
    cache_->commit(slot, begin);
  }
  cache_->release(slot);
  return status;
}

void Engine::Staging::clear() {
  for (auto* list : {&tokens, &positions, &context_len, &logits_rows}) list->clear();
  query_start.assign(1, 0);
  for (auto& table : tables) table.clear();
}

void Engine::Staging::add(std::span<const TokenId> run, std::size_t first, SequenceSlot slot,
                          const KvCache& cache, std::size_t stride) {
  for (std::size_t i = 0; i < run.size(); ++i) {
    tokens.push_back(run[i]);
    positions.push_back(static_cast<std::int32_t>(first + i));
  }
  query_start.push_back(static_cast<std::int32_t>(tokens.size()));
  context_len.push_back(static_cast<std::int32_t>(first + run.size()));
  for (std::size_t g = 0; g < tables.size(); ++g) {
    const auto blocks = cache.table(slot, g);
    tables[g].insert(tables[g].end(), blocks.begin(), blocks.end());
    tables[g].resize(context_len.size() * stride, KvCache::no_block);
    views[g].stride = stride;
  }
}

BatchView Engine::Staging::view(std::size_t peak_rows) {
  for (std::size_t g = 0; g < tables.size(); ++g) views[g].entries = tables[g].data();
  return {tokens, positions, query_start, context_len, views, logits_rows, peak_rows};
}

}  // namespace premise
