// The two threads of the table: one that loads, one that keeps the time.
#include <algorithm>
#include <new>
#include <utility>

#include "serve/models/model_table.h"

namespace premise {

ModelTable::ModelTable(Options options) : options_(std::move(options)) {
  loader_ = std::thread([this] { run_loader(); });
  keeper_ = std::thread([this] { run_keeper(); });
}

ModelTable::~ModelTable() {
  {
    const std::lock_guard lock(mutex_);
    stop();
  }
  loader_.join();
  keeper_.join();
}

bool ModelTable::close(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  stop();
  return closed_.wait_for(lock, limit, [&] { return keeper_gone_; });
}

/// What serves goes, and its requests are cut at once. May be called again.
void ModelTable::stop() {
  stopping_ = true;
  for (const auto& entry : entries_) {
    if (entry->current) leave(*entry, std::move(entry->current), std::chrono::milliseconds(0));
    if (entry->previous) leave(*entry, std::move(entry->previous), std::chrono::milliseconds(0));
    for (const auto& version : entry->leaving) version->limit = Clock::now();
  }
  wake_loader_.notify_one();
  wake_keeper_.notify_one();
}

// Loading

void ModelTable::run_loader() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_loader_.wait(lock, [&] { return stopping_ || !jobs_.empty(); });
    if (stopping_) break;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    run_job(std::move(job));
    lock.lock();
  }
  for (Job& job : jobs_)
    finished_.push_back(
        {std::move(job.done),
         error(ErrorCode::cancelled, {"the server is being shut down", "服务器正在关闭"})});
  jobs_.clear();
  stop();  // also what was loaded while others were cut
  loader_gone_ = true;
}

// What others throw (memory ran out) ends an action, never the process.
void ModelTable::run_job(Job job) {
  const auto thrown_error = [&](const std::exception& thrown) {
    return error(dynamic_cast<const std::bad_alloc*>(&thrown) != nullptr ? ErrorCode::no_resources
                                                                         : ErrorCode::internal,
                 {"the model {} cannot be loaded: {}", "无法加载模型 {}：{}"}, job.spec.name,
                 std::string(thrown.what()));
  };
  Result<LoadedVersion> loaded = [&]() -> Result<LoadedVersion> {
    try {
      return options_.factory(job.spec);
    } catch (const std::exception& thrown) {
      return thrown_error(thrown);
    }
  }();
  const Status checked = [&]() -> Status {
    if (!job.swap || !loaded.ok() || !options_.check) return {};
    try {
      return options_.check(*loaded->endpoint);
    } catch (const std::exception& thrown) {
      return thrown_error(thrown);
    }
  }();
  const std::unique_lock lock(mutex_);
  // Neither is taken away meanwhile: a model that is not at rest cannot be unloaded.
  Entry& changed = *entry(job.spec.name);
  Status status = job.swap ? commit_swap(changed, job, loaded, checked)
                           : commit_load(changed, job.spec, loaded);
  finished_.push_back({std::move(job.done), std::move(status)});
  wake_keeper_.notify_one();
}

Status ModelTable::commit_load(Entry& entry, const ModelSpec& spec, Result<LoadedVersion>& loaded) {
  if (!loaded.ok()) {
    set_state(entry, ModelState::failed);
    entry.why = loaded.error().what;
    news(entry, at(text({"the model {}", "模型 {}"}, entry.name), loaded.error()).what, true);
    return loaded.error();
  }
  entry.current = make_version(spec, std::move(*loaded));
  set_state(entry, ModelState::ready);
  news(entry, text({"the model {} is ready", "模型 {} 已就绪"}, entry.name));
  return {};
}

Status ModelTable::commit_swap(Entry& entry, const Job& job, Result<LoadedVersion>& loaded,
                               const Status& checked) {
  const ModelSpec& spec = job.spec;
  const ModelLimits& limits = limits_of(entry.name);
  entry.next.reset();
  if (!loaded.ok() || !checked.ok()) {
    const Error& why = loaded.ok() ? checked.error() : loaded.error();
    entry.why = why.what;
    news(entry,
         at(text({"the model {} stays as it is: the next version", "模型 {} 保持不变：新版本"},
                 entry.name),
            why)
             .what,
         true, loaded.ok() ? SwapResult::check_failed : SwapResult::not_loaded);
    if (loaded.ok()) leave(entry, make_version(spec, std::move(*loaded)), limits.drain);
    return why;
  }
  auto old = std::exchange(entry.current, make_version(spec, std::move(*loaded)));
  entry.spec = spec;
  set_state(entry, ModelState::ready);
  entry.watched = limits;
  if (job.limits.watch) entry.watched.watch = *job.limits.watch;
  if (job.limits.failed_share) entry.watched.failed_share = *job.limits.failed_share;
  if (stopping_ || entry.watched.watch.count() == 0) {
    if (old) leave(entry, std::move(old), limits.drain);
  } else {
    entry.previous = std::move(old);
    entry.watch_until = Clock::now() + entry.watched.watch;
  }
  news(entry, text({"the model {} is now {}", "模型 {} 现在使用 {}"}, entry.name, spec.path), false,
       SwapResult::swapped);
  return {};
}

// Keeping the time

ModelTable::Clock::time_point ModelTable::next_moment() const {
  auto next = Clock::now() + std::chrono::hours(1);
  for (const auto& entry : entries_) {
    if (entry->previous) next = std::min(next, entry->watch_until);
    for (const auto& version : entry->leaving)
      if (!version->cut) next = std::min(next, version->limit);
  }
  return next;
}

void ModelTable::look_after(Entry& entry, std::vector<std::shared_ptr<Version>>& gone,
                            std::vector<std::function<void()>>& cuts) {
  const auto now = Clock::now();
  if (entry.previous && now >= entry.watch_until) {
    leave(entry, std::move(entry.previous), limits_of(entry.name).drain);
    news(
        entry,
        text({"the new version of the model {} is kept", "模型 {} 的新版本已确认保留"}, entry.name),
        false, SwapResult::kept);
  }
  for (const auto& version : entry.leaving) {
    if (version->cut || now < version->limit) continue;
    version->cut = true;
    for (ModelUse* use : version->uses)
      if (use->cut_) cuts.push_back(std::exchange(use->cut_, nullptr));
  }
  std::erase_if(entry.leaving, [&](std::shared_ptr<Version>& version) {
    if (!version->uses.empty()) return false;
    gone.push_back(std::move(version));
    return true;
  });
}

void ModelTable::run_keeper() {
  std::unique_lock lock(mutex_);
  while (keep_time(lock)) {
  }
  keeper_gone_ = true;
  closed_.notify_all();
}

/// One look at everything; false: nothing is left and nothing will come.
bool ModelTable::keep_time(std::unique_lock<std::mutex>& lock) {
  std::vector<std::shared_ptr<Version>> gone;
  std::vector<std::function<void()>> cuts;
  std::vector<std::unique_ptr<Entry>> unloaded;
  bool empty = true;
  for (const auto& entry : entries_) {
    look_after(*entry, gone, cuts);
    empty = empty && entry->leaving.empty();
  }
  const bool over = loader_gone_ && empty;
  auto news = std::exchange(news_, {});
  auto finished = std::exchange(finished_, {});
  std::erase_if(entries_, [&](std::unique_ptr<Entry>& entry) {
    if (entry->state != ModelState::draining || !entry->leaving.empty()) return false;
    unloaded.push_back(std::move(entry));
    return true;
  });
  for (const auto& entry : unloaded) {
    news.push_back({entry->name, entry->state, true, false, std::nullopt,
                    text({"the model {} is unloaded", "模型 {} 已卸载"}, entry->name)});
    finished.push_back({std::move(entry->unloaded), {}});
  }
  if (gone.empty() && cuts.empty() && news.empty() && finished.empty()) {
    if (!over) wake_keeper_.wait_until(lock, next_moment());
    return !over;
  }
  lock.unlock();  // what follows takes time, and may come back to the table
  for (const auto& cut : cuts) cut();
  gone.clear();
  unloaded.clear();
  for (const ModelNews& each : news)
    if (options_.tell) options_.tell(each);
  for (const Finished& each : finished)
    if (each.done) each.done(each.status);
  lock.lock();
  return true;
}

}  // namespace premise
