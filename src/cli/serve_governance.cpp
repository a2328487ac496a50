#include "cli/serve_governance.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "base/language.h"
#include "serve/cache/memory_result_cache.h"
#include "serve/cache/redis_result_cache.h"
#include "serve/gate/gate_database.h"
#include "store/store.h"

namespace premise {
namespace {

constexpr std::chrono::seconds watch_interval{1};

std::int64_t now_in_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::chrono::milliseconds lifetime_of(const CacheConfig& config) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(config.seconds * 1000.0));
}

Result<std::filesystem::path> gate_path() {
  PREMISE_TRY(const auto root, Store::default_root(process_environment));
  return root / GateDatabase::file_name;
}

WordFilterConfig words_of(const FilterConfig& config) {
  return {{config.words.begin(), config.words.end()},
          filter_action(config.action).value_or(FilterAction::reject)};
}

/// A line of the log where something outside begins or ends to fail.
Outage::Tell teller(const ServeGovernance::Tell& tell, Text what) {
  return [tell, what = std::move(what)](bool works, const Text& why) {
    tell(works ? Text{what.en + " work again", what.zh + "已恢复"}
               : Text{what.en + ": " + why.en, what.zh + "：" + why.zh});
  };
}

}  // namespace

ServeGovernance::ServeGovernance(Tell tell) : tell_(std::move(tell)), local_limits_(now_in_ms) {}

Result<std::unique_ptr<ServeGovernance>> ServeGovernance::open(const Config& config,
                                                               std::shared_ptr<KeyRing> keys,
                                                               Tell tell) {
  std::unique_ptr<ServeGovernance> self(new ServeGovernance(std::move(tell)));
  if (keys || config.audit.text) PREMISE_CHECK(self->open_books());
  self->audited_ = config.audit.enabled;
  PREMISE_CHECK(self->open_limits(config.limits, keys));
  PREMISE_CHECK(self->open_results(config.cache));
  PREMISE_TRY(self->words_, WordFilter::open(words_of(config.filter)));
  if (!config.tracing.endpoint.empty()) {
    SpanExporterOptions options;
    options.endpoint = config.tracing.endpoint;
    PREMISE_TRY(self->spans_, SpanExporter::start(std::move(options)));
  }
  self->watcher_ = std::thread([governance = self.get()] { governance->watch_words(); });
  return self;
}

ServeGovernance::~ServeGovernance() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopping_changed_.notify_all();
  if (watcher_.joinable()) watcher_.join();
  if (ledger_) tell_head();
}

// What a day has used up already counts from the first request on.
Status ServeGovernance::open_books() {
  PREMISE_TRY(const auto path, gate_path());
  PREMISE_TRY(ledger_, Ledger::open(path, now_in_ms));
  PREMISE_TRY(const auto used, ledger_->day_use(day_of(now_in_ms())));
  for (const DayUse& use : used) local_limits_.add_day_use(use);
  tell_head();
  return {};
}

void ServeGovernance::tell_head() const {
  const AuditHead head = ledger_->head();
  tell_(text({"audit log: {} lines, head {}", "审计日志：{} 行，链首 {}"}, head.count,
             head.hash.empty() ? "-" : head.hash));
}

Status ServeGovernance::open_limits(const LimitsConfig& config, std::shared_ptr<KeyRing> keys) {
  if (config.counters == "memory") return {};
  PREMISE_TRY(auto redis, RedisClient::open(config.counters));
  PREMISE_CHECK(redis->check());
  RedisLimits::Options options;
  options.identity = [keys = std::move(keys)](std::int64_t key_id) {
    const std::string name = keys ? keys->name_of(key_id) : "";
    return name.empty() ? fmt::format("#{}", key_id) : name;
  };
  options.tell = teller(tell_, text({"limits shared over Redis", "Redis 共享限额"}));
  shared_limits_ =
      std::make_unique<RedisLimits>(std::move(redis), local_limits_, std::move(options));
  return {};
}

Status ServeGovernance::open_results(const CacheConfig& config) {
  if (config.results == "off") return {};
  if (config.results == "memory") {
    results_ = std::make_shared<MemoryResultCache>(
        static_cast<std::size_t>(config.memory.value_or(std::uint64_t{256} << 20)),
        lifetime_of(config));
    return {};
  }
  PREMISE_TRY(auto redis, RedisClient::open(config.results));
  const Text what = text({"answers kept in Redis", "Redis 中的结果缓存"});
  if (const Status works = redis->check(); !works.ok())
    teller(tell_, what)(false, works.error().what);
  results_ = std::make_shared<RedisResultCache>(
      std::move(redis),
      RedisResultCache::Options{.lifetime = lifetime_of(config), .tell = teller(tell_, what)});
  return {};
}

LimitBackend& ServeGovernance::limits() {
  if (shared_limits_) return *shared_limits_;
  return local_limits_;
}

Governance ServeGovernance::governance() {
  return {words_.get(), results_, ledger_.get(), spans_.get()};
}

Status ServeGovernance::apply(const Config& config) {
  PREMISE_CHECK(words_->configure(words_of(config.filter)));
  if (results_) results_->set_lifetime(lifetime_of(config.cache));
  audited_ = config.audit.enabled;
  return {};
}

void ServeGovernance::note(const Deed& deed) {
  if (!ledger_) return;
  LedgerEntry entry;
  entry.audited = audited_ || deed.always;
  entry.line.time_ms = now_in_ms();
  entry.line.client = deed.by;
  entry.line.action = deed.action;
  entry.line.model = deed.model;
  entry.line.outcome = deed.failed ? "failed" : "complete";
  entry.line.reason = deed.reason;
  ledger_->record(std::move(entry));
}

void ServeGovernance::watch_words() {
  std::unique_lock lock(mutex_);
  while (!stopping_changed_.wait_for(lock, watch_interval, [&] { return stopping_; })) {
    const auto changed = words_->reload_if_changed();
    if (!changed.ok())
      tell_(at(text({"the list of words stays as it was", "敏感词表保持不变"}), changed.error())
                .what);
    else if (*changed)
      tell_(text({"the list of words was read again: {} words", "已重新读取敏感词表：{} 个词"},
                 words_->current()->size()));
  }
}

void ServeGovernance::save() {
  constexpr std::chrono::seconds limit{10};
  if (!ledger_) return;
  ledger_->wait_for_disk(limit);
  tell_head();
}

std::string ServeGovernance::metrics() const {
  std::string page;
  const auto add = [&](std::string_view name, std::string_view kind, std::string_view help,
                       std::uint64_t value) {
    page += fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n{0} {3}\n", name, kind, help, value);
  };
  if (ledger_) {
    const LedgerCounts counts = ledger_->counts();
    add("premise_audit_entries_total", "counter", "Entries written to the books.", counts.written);
    add("premise_audit_lost_total", "counter", "Entries that could not be written.", counts.lost);
    add("premise_audit_waiting", "gauge", "Entries that wait for the disk.", counts.waiting);
  }
  if (spans_) page += write_span_metrics(spans_->counts());
  if (results_) {
    const ResultCacheStats stats = results_->stats();
    add("premise_result_cache_entries", "gauge", "Answers kept by this process.", stats.entries);
    add("premise_result_cache_bytes", "gauge", "Their bytes.", stats.bytes);
    add("premise_result_cache_failures_total", "counter",
        "Answers that could not be looked up or kept.", stats.failures);
  }
  if (shared_limits_) {
    add("premise_limits_shared", "gauge", "1 while limits are shared with other servers.",
        shared_limits_->shared() ? 1 : 0);
    add("premise_limits_counted_alone_total", "counter",
        "Requests that were counted here alone for want of the shared counters.",
        shared_limits_->counted_alone());
  }
  return page;
}

}  // namespace premise
