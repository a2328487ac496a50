#include "serve/models/model_table.h"

#include <algorithm>
#include <ctime>
#include <utility>

namespace premise {

std::string_view name_of(ModelState state) {
  constexpr std::string_view names[] = {"loading", "ready", "draining", "failed"};
  return names[static_cast<std::size_t>(state)];
}

std::string_view name_of(SwapResult result) {
  constexpr std::string_view names[] = {"swapped", "kept", "not_loaded", "check_failed",
                                        "returned"};
  return names[static_cast<std::size_t>(result)];
}

// Uses

ModelUse::~ModelUse() { table_.release(*this); }

ModelEndpoint& ModelUse::endpoint() const { return *version_.loaded.endpoint; }
const std::string& ModelUse::identity() const { return version_.loaded.identity; }

void ModelUse::on_cut(std::function<void()> cut) {
  {
    const std::lock_guard lock(table_.mutex_);
    if (!version_.cut) {
      cut_ = std::move(cut);
      return;
    }
  }
  cut();
}

void ModelUse::ended(bool failed) { table_.request_ended(*this, failed); }

void ModelTable::release(ModelUse& use) {
  const std::lock_guard lock(mutex_);
  std::erase(use.version_.uses, &use);
  if (use.version_.uses.empty()) wake_keeper_.notify_one();
}

void ModelTable::request_ended(ModelUse& use, bool failed) {
  const std::lock_guard lock(mutex_);
  ModelVersion& version = use.version_;
  ++version.ended;
  version.failed += failed ? 1 : 0;
  Entry* watched = entry(version.spec.name);
  if (!failed || watched == nullptr || watched->current.get() != &version || !watched->previous)
    return;
  const ModelLimits& limits = watched->watched;
  const bool enough = version.ended >= limits.watch_requests;
  const bool many = static_cast<double>(version.failed) >
                    limits.failed_share * static_cast<double>(version.ended);
  const bool broken = !version.loaded.endpoint->ready();
  // An old version that has broken meanwhile is nothing to return to.
  if (((enough && many) || broken) && watched->previous->loaded.endpoint->ready())
    return_to_previous(*watched);
}

std::shared_ptr<ModelUse> ModelTable::use(std::string_view name, std::optional<ModelState>* state) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return nullptr;
  for (const auto& each : entries_) {
    if (!name.empty() && each->name != name) continue;
    if (state != nullptr && !*state) *state = each->state;
    if (each->state != ModelState::ready) break;  // no other model answers in the default's place
    std::shared_ptr<ModelUse> use(new ModelUse(*this, *each->current));
    each->current->uses.push_back(use.get());
    return use;
  }
  return nullptr;
}

// What is told

ModelTable::Entry* ModelTable::entry(std::string_view name) {
  const auto found = std::ranges::find(entries_, name, [](const auto& e) { return e->name; });
  return found == entries_.end() ? nullptr : found->get();
}

const ModelTable::Entry* ModelTable::entry(std::string_view name) const {
  return const_cast<ModelTable*>(this)->entry(name);
}

ModelStatus ModelTable::status_of(const Entry& entry) const {
  ModelStatus status;
  status.spec = entry.spec;
  status.state = entry.state;
  status.since = entry.since;
  status.next = entry.next;
  status.watched = entry.previous != nullptr;
  status.why = entry.why;
  const auto count = [&](const std::shared_ptr<Version>& version) {
    if (version) status.requests += version->uses.size();
  };
  count(entry.current);
  count(entry.previous);
  for (const auto& version : entry.leaving) count(version);
  if (!entry.current) return status;
  const Version& version = *entry.current;
  status.version = version.number;
  status.digest = version.loaded.digest;
  status.ended = version.ended;
  status.failed = version.failed;
  status.context = version.loaded.endpoint->card().context;
  if (entry.state == ModelState::ready && !version.loaded.endpoint->ready())
    status.state = ModelState::failed;
  return status;
}

std::vector<ModelStatus> ModelTable::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<ModelStatus> all;
  for (const auto& each : entries_) all.push_back(status_of(*each));
  return all;
}

std::optional<ModelStatus> ModelTable::find(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const Entry* found = entry(name);
  if (found == nullptr) return std::nullopt;
  return status_of(*found);
}

std::vector<ModelCard> ModelTable::cards() const {
  const std::lock_guard lock(mutex_);
  std::vector<ModelCard> cards;
  for (const auto& each : entries_)
    if (each->state == ModelState::ready && each->current)
      cards.push_back(each->current->loaded.endpoint->card());
  return cards;
}

void ModelTable::news(const Entry& entry, Text what, bool bad, std::optional<SwapResult> swap) {
  news_.push_back({entry.name, entry.state, false, bad, swap, std::move(what)});
  wake_keeper_.notify_one();
}

// Actions

void ModelTable::set_state(Entry& entry, ModelState state) {
  entry.state = state;
  entry.since = static_cast<std::int64_t>(std::time(nullptr));
}

std::shared_ptr<ModelVersion> ModelTable::make_version(ModelSpec spec, LoadedVersion loaded) {
  auto version = std::make_shared<Version>(Version{std::move(spec), std::move(loaded)});
  version->number = ++versions_;
  return version;
}

void ModelTable::add(ModelSpec spec, LoadedVersion version) {
  const std::lock_guard lock(mutex_);
  auto fresh = std::make_unique<Entry>(Entry{spec.name, spec});
  fresh->current = make_version(std::move(spec), std::move(version));
  set_state(*fresh, ModelState::ready);
  entries_.push_back(std::move(fresh));
}

void ModelTable::set_limits(const std::string& name, const ModelLimits& limits) {
  const std::lock_guard lock(mutex_);
  limits_.insert_or_assign(name, limits);
}

const ModelLimits& ModelTable::limits_of(const std::string& name) const {
  const auto own = limits_.find(name);
  return own == limits_.end() ? options_.limits : own->second;
}

std::optional<ModelRefusal> ModelTable::load(ModelSpec spec, Done done) {
  const std::lock_guard lock(mutex_);
  if (Entry* old = entry(spec.name)) {
    if (old->state != ModelState::failed || old->current || !old->leaving.empty())
      return ModelRefusal{ModelRefusal::Reason::exists,
                          text({"the model {} is {} already; swap replaces it by another version",
                                "模型 {} 已处于 {} 状态；可用 swap 替换为其他版本"},
                               spec.name, name_of(old->state))};
    std::erase_if(entries_, [&](const auto& each) { return each.get() == old; });
  }
  auto fresh = std::make_unique<Entry>(Entry{spec.name, spec});
  set_state(*fresh, ModelState::loading);
  news(*fresh,
       text({"loading the model {} from {}", "正在从 {1} 加载模型 {0}"}, spec.name, spec.path));
  entries_.push_back(std::move(fresh));
  jobs_.push_back({std::move(spec), false, std::move(done)});
  wake_loader_.notify_one();
  return std::nullopt;
}

std::optional<ModelRefusal> ModelTable::swap(ModelSpec spec, Done done, SwapLimits limits) {
  const std::lock_guard lock(mutex_);
  Entry* entry = this->entry(spec.name);
  if (entry == nullptr)
    return ModelRefusal{ModelRefusal::Reason::unknown,
                        text({"no model {} is here to be swapped; load it",
                              "没有可替换的模型 {}；请使用 load 加载"},
                             spec.name)};
  if (entry->state != ModelState::ready || entry->next)
    return ModelRefusal{ModelRefusal::Reason::busy,
                        text({"the model {} is not at rest: wait until it is ready",
                              "模型 {} 正在变更：请等待其就绪"},
                             spec.name)};
  if (entry->previous)  // a swap during the watch is the verdict: what serves now is good
    leave(*entry, std::move(entry->previous), limits_of(entry->name).drain);
  entry->next = spec;
  entry->why = {};
  news(*entry, text({"loading the next version of the model {} from {}",
                     "正在从 {1} 加载模型 {0} 的新版本"},
                    spec.name, spec.path));
  jobs_.push_back({std::move(spec), true, std::move(done), limits});
  wake_loader_.notify_one();
  return std::nullopt;
}

std::optional<ModelRefusal> ModelTable::unload(std::string_view name,
                                               std::optional<std::chrono::milliseconds> drain,
                                               Done done) {
  const std::lock_guard lock(mutex_);
  Entry* entry = this->entry(name);
  if (entry == nullptr)
    return ModelRefusal{ModelRefusal::Reason::unknown,
                        text({"no model {} is here", "没有模型 {}"}, name)};
  if (entry->state == ModelState::loading || entry->state == ModelState::draining || entry->next)
    return ModelRefusal{ModelRefusal::Reason::busy,
                        text({"the model {} is not at rest: wait until it is ready",
                              "模型 {} 正在变更：请等待其就绪"},
                             name)};
  set_state(*entry, ModelState::draining);
  news(*entry, text({"unloading the model {}", "正在卸载模型 {}"}, name));
  entry->unloaded = std::move(done);
  const auto limit = drain.value_or(limits_of(entry->name).drain);
  if (entry->current) leave(*entry, std::move(entry->current), limit);
  if (entry->previous) leave(*entry, std::move(entry->previous), limit);
  return std::nullopt;
}

void ModelTable::leave(Entry& entry, std::shared_ptr<Version> version,
                       std::chrono::milliseconds limit) {
  version->limit = Clock::now() + limit;
  entry.leaving.push_back(std::move(version));
  wake_keeper_.notify_one();
}

void ModelTable::return_to_previous(Entry& entry) {
  const Version& bad = *entry.current;
  entry.why = text({"{} of {} requests failed: the version before is back",
                    "{1} 个请求中有 {0} 个失败：已恢复到先前的版本"},
                   bad.failed, bad.ended);
  leave(entry, std::exchange(entry.current, std::move(entry.previous)),
        limits_of(entry.name).drain);
  entry.previous = nullptr;
  entry.spec = entry.current->spec;
  set_state(entry, ModelState::ready);
  news(entry,
       at(text({"the model {}", "模型 {}"}, entry.name), Error{ErrorCode::no, entry.why}).what,
       true, SwapResult::returned);
}

}  // namespace premise
