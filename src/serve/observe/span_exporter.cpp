#include "serve/observe/span_exporter.h"

#include <algorithm>

#include "base/version.h"
#include "serve/observe/metrics.h"
#include "serve/observe/otlp_json.h"
#include "serve/observe/trace_context.h"

namespace premise {

std::string write_span_metrics(const SpanCounts& counts) {
  CounterFamily family(
      "premise_spans_total",
      "Spans told to the collector, and lost: the queue was full, or the collector "
      "refused them or could not be reached.",
      {"outcome"});
  family.add({"told"}, counts.told);
  family.add({"overflow"}, counts.overflow);
  family.add({"failed"}, counts.failed);
  std::string out;
  family.write(out);
  return out;
}

Result<std::unique_ptr<SpanExporter>> SpanExporter::start(SpanExporterOptions options) {
  options.batch = std::max<std::size_t>(options.batch, 1);
  options.queue = std::max(options.queue, options.batch);
  options.resource.emplace_back("service.name", "premise");
  options.resource.emplace_back("service.version", std::string(version()));
  options.resource.emplace_back("service.instance.id", random_hex_id());
  PREMISE_TRY(OtlpPost post, OtlpPost::open({options.endpoint, options.headers, options.timeout}));
  std::unique_ptr<SpanExporter> exporter(new SpanExporter(std::move(options), std::move(post)));
  exporter->thread_ = std::thread([raw = exporter.get()] { raw->run(); });
  return exporter;
}

SpanExporter::SpanExporter(SpanExporterOptions options, OtlpPost post)
    : options_(std::move(options)), post_(std::move(post)) {}

SpanExporter::~SpanExporter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    deadline_ = Clock::now() + options_.flush;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void SpanExporter::add(Span span) {
  bool full_batch = false;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= options_.queue) {
      ++counts_.overflow;
      return;
    }
    waiting_.push_back(std::move(span));
    full_batch = waiting_.size() == options_.batch;
  }
  if (full_batch) changed_.notify_all();
}

SpanCounts SpanExporter::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

std::string SpanExporter::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

void SpanExporter::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_ || !waiting_.empty()) {
    changed_.wait_for(lock, options_.interval,
                      [this] { return stopping_ || waiting_.size() >= options_.batch; });
    if (waiting_.empty()) continue;
    if (stopping_ && Clock::now() >= deadline_) {
      counts_.failed += waiting_.size();
      waiting_.clear();
      break;
    }
    const std::size_t count = std::min(waiting_.size(), options_.batch);
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
    const std::vector<Span> batch(std::make_move_iterator(waiting_.begin()),
                                  std::make_move_iterator(end));
    waiting_.erase(waiting_.begin(), end);
    lock.unlock();
    send(batch);
    lock.lock();
  }
}

void SpanExporter::send(const std::vector<Span>& batch) {
  const std::string body = encode_otlp_traces(options_.resource, version(), batch);
  std::chrono::milliseconds own_pause = options_.pause_min;
  for (int tried = 1;; ++tried) {
    PostResult result = post_.send(body, [this] { return out_of_time(); });
    {
      const std::lock_guard lock(mutex_);
      trouble_ = result.why;
      if (result.kind == PostResult::Kind::taken) {
        const std::uint64_t rejected =
            std::min<std::uint64_t>(rejected_spans(result.answer), batch.size());
        counts_.told += batch.size() - rejected;
        counts_.failed += rejected;
        return;
      }
      if (result.kind == PostResult::Kind::refused || tried >= options_.tries_max) {
        counts_.failed += batch.size();
        return;
      }
    }
    if (!pause(std::max<std::chrono::milliseconds>(own_pause, result.retry_after))) {
      const std::lock_guard lock(mutex_);
      counts_.failed += batch.size();
      return;
    }
    own_pause = std::min(own_pause * 2, options_.pause_max);
  }
}

/// False where there is no time left for another try. At the end pauses are short.
bool SpanExporter::pause(std::chrono::milliseconds time) {
  constexpr std::chrono::milliseconds last_pauses{100};
  std::unique_lock lock(mutex_);
  if (!stopping_) changed_.wait_for(lock, time, [this] { return stopping_; });
  if (!stopping_) return true;
  if (Clock::now() + last_pauses >= deadline_) return false;
  lock.unlock();
  std::this_thread::sleep_for(last_pauses);
  return true;
}

bool SpanExporter::out_of_time() const {
  const std::lock_guard lock(mutex_);
  return stopping_ && Clock::now() >= deadline_;
}

}  // namespace premise
