// Tells spans to a collector of OpenTelemetry, on a thread of its own.
//
// Telling never holds a request up: a span goes into a bounded queue or, where that is full, is
// counted as lost. The thread sends what has gathered when a batch is full or an interval is over;
// a collector that is away or busy is tried again with growing pauses, while the queue fills. A
// batch that is refused for good is counted as lost.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/result.h"
#include "serve/observe/otlp_post.h"
#include "serve/observe/span.h"

namespace premise {

struct SpanExporterOptions {
  std::string endpoint;  // http://collector:4318, or a whole address
  std::vector<std::pair<std::string, std::string>> headers{};  // for collectors that want a key
  SpanAttributes resource{};  // beside service.name, service.version and service.instance.id
  std::size_t queue = 4096;   // spans that wait at most
  std::size_t batch = 512;    // spans of one POST at most
  std::chrono::milliseconds interval{2'000};   // a span waits at most, while all goes well
  std::chrono::milliseconds timeout{10'000};   // of one POST
  std::chrono::milliseconds pause_min{1'000};  // before a second try; doubles up to pause_max
  std::chrono::milliseconds pause_max{30'000};
  int tries_max = 6;                       // then the batch is lost
  std::chrono::milliseconds flush{3'000};  // at the end, for what still waits
};

struct SpanCounts {
  std::uint64_t told = 0;      // taken by the collector
  std::uint64_t overflow = 0;  // lost: the queue was full
  std::uint64_t failed = 0;    // lost: refused, or tried too often, or not told in time at the end
  std::uint64_t lost() const { return overflow + failed; }
};

/// The same as counters for a scraper, to be added to ServiceMetrics' page: premise_spans_total by
/// outcome (told, overflow, failed).
std::string write_span_metrics(const SpanCounts& counts);

/// Any thread may call any member.
class SpanExporter {
 public:
  /// usage where the endpoint is no address. Whether anybody listens there is not asked.
  static Result<std::unique_ptr<SpanExporter>> start(SpanExporterOptions options);
  /// Tells what waits, within options.flush (and a second for a POST that must be broken off).
  ~SpanExporter();

  SpanExporter(const SpanExporter&) = delete;
  SpanExporter& operator=(const SpanExporter&) = delete;

  /// Never waits for the collector.
  void add(Span span);

  SpanCounts counts() const;
  /// Why the last POST failed; empty after one that did not. For a log.
  std::string trouble() const;

 private:
  using Clock = std::chrono::steady_clock;
  SpanExporter(SpanExporterOptions options, OtlpPost post);
  void run();
  void send(const std::vector<Span>& batch);
  bool pause(std::chrono::milliseconds time);
  bool out_of_time() const;

  const SpanExporterOptions options_;
  OtlpPost post_;  // the thread's

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Span> waiting_;
  SpanCounts counts_;
  std::string trouble_;
  bool stopping_ = false;
  Clock::time_point deadline_ = Clock::time_point::max();

  std::thread thread_;
};

}  // namespace premise
