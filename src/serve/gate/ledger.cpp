#include "serve/gate/ledger.h"

#include <algorithm>
#include <new>
#include <utility>

namespace premise {
namespace {

std::size_t text_bytes(const AuditEntry& line) {
  return line.request.size() + line.key_name.size() + line.client.size() + line.action.size() +
         line.model.size() + line.outcome.size() + line.reason.size() + line.prompt.size() +
         line.answer.size();
}

Error too_many_waiting() {
  return error(ErrorCode::no_resources,
               {"too many answers wait for the audit log", "等待写入审计日志的请求过多"});
}

}  // namespace

Result<std::unique_ptr<Ledger>> Ledger::open(const std::filesystem::path& path, Clock clock,
                                             LedgerOptions options) {
  PREMISE_TRY(AuditLog log, AuditLog::open(path, options.busy_timeout));
  PREMISE_TRY(AuditHead head, log.head());
  std::unique_ptr<Ledger> ledger(
      new Ledger(std::move(log), std::move(clock), options, std::move(head)));
  ledger->writer_ = std::thread([raw = ledger.get()] { raw->work(); });
  return ledger;
}

Ledger::~Ledger() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (writer_.joinable()) writer_.join();
}

void Ledger::record(LedgerEntry entry, Then then) {
  // Cut and cleaned here, on the caller's thread: what waits is bounded by what is kept.
  entry.line = kept_form(std::move(entry.line));
  const std::size_t bytes = text_bytes(entry.line);
  {
    const std::lock_guard lock(mutex_);
    if (queue_entries_ >= options_.waiting_max ||
        bytes > options_.waiting_bytes_max - queue_bytes_) {
      lose(1, too_many_waiting());
      if (then) queue_.push_back({std::nullopt, std::move(then), 0});
    } else {
      queue_.push_back({std::move(entry), std::move(then), bytes});
      queue_bytes_ += bytes;
      ++queue_entries_;
    }
  }
  changed_.notify_one();
}

bool Ledger::wait_for_disk(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return written_.wait_for(lock, limit, [&] { return queue_.empty() && !writing_; });
}

bool Ledger::works() const {
  const std::lock_guard lock(mutex_);
  return !failing_;
}

AuditHead Ledger::head() const {
  const std::lock_guard lock(mutex_);
  return head_;
}

LedgerCounts Ledger::counts() const {
  const std::lock_guard lock(mutex_);
  LedgerCounts counts = counts_;
  counts.waiting = queue_entries_;
  return counts;
}

Result<std::vector<DayUse>> Ledger::day_use(std::int64_t day) {
  const std::lock_guard lock(log_mutex_);
  return log_.day_use(day);
}

void Ledger::lose(std::uint64_t count, const Error& reason) {
  if (count == 0) return;
  if (loss_.count == 0) loss_.since_ms = clock_();
  loss_.count += count;
  loss_.reason = reason.what.en;
  counts_.lost += count;
}

LedgerEntry Ledger::loss_line(std::uint64_t count) const {
  LedgerEntry note;
  note.line.time_ms = clock_();
  note.line.action = "audit lost";
  note.line.outcome = "failed";
  note.line.reason = fmt::format("{} lines could not be written since {} ms: {}", count,
                                 loss_.since_ms, loss_.reason);
  return note;
}

void Ledger::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto due = [this] { return stop_ || !queue_.empty(); };
    if (loss_.count > 0)
      changed_.wait_for(lock, options_.retry_interval, due);  // then the line of loss is tried
    else
      changed_.wait(lock, due);
    const bool last = stop_ && queue_.empty();
    if (last && loss_.count == 0) return;
    std::vector<Waiting> taken = std::exchange(queue_, {});
    queue_bytes_ = queue_entries_ = 0;
    writing_ = true;
    lock.unlock();
    write(std::move(taken));
    lock.lock();
    writing_ = false;
    written_.notify_all();
    if (last) return;
  }
}

void Ledger::write(std::vector<Waiting> taken) {
  std::uint64_t noted = 0;  // losses that this transaction tells of
  {
    const std::lock_guard lock(mutex_);
    noted = loss_.count;
  }
  const auto own = static_cast<std::uint64_t>(std::ranges::count_if(
      taken, [](const Waiting& waiting) { return waiting.entry.has_value(); }));
  const Status done = own + noted > 0 ? commit(taken, noted) : Status();
  {
    const std::lock_guard lock(mutex_);
    failing_ = !done.ok();
    if (done.ok()) {
      counts_.written += own;
      counts_.commits += own + noted > 0 ? 1 : 0;
      loss_.count -= noted;
    } else {
      lose(own, done.error());
    }
  }
  const Status refused = too_many_waiting();
  for (const Waiting& waiting : taken)
    if (waiting.then) waiting.then(waiting.entry ? done : refused);
}

Status Ledger::commit(std::vector<Waiting>& taken, std::uint64_t noted) {
  try {
    std::vector<LedgerEntry> entries;
    if (noted > 0) {
      const std::lock_guard lock(mutex_);
      entries.push_back(loss_line(noted));
    }
    for (Waiting& waiting : taken)
      if (waiting.entry) entries.push_back(*std::move(waiting.entry));
    const std::lock_guard log_lock(log_mutex_);
    auto end = log_.append(entries);
    if (!end.ok()) return std::move(end).error();
    const std::lock_guard lock(mutex_);
    head_ = std::move(*end);
    return {};
  } catch (const std::bad_alloc&) {
    return error(ErrorCode::no_resources,
                 {"not enough memory for the audit log", "内存不足，无法写入审计日志"});
  }
}

}  // namespace premise
