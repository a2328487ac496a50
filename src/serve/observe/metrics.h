// Counters, gauges and histograms, and their text for Prometheus.
//
// The exposition format 0.0.4 is a page of text and its instruments are three small classes, so no
// library is used: prometheus-cpp would bring an HTTP server and a registry of strings with it.
// Names and units follow Prometheus' rules (seconds, _total, base units).
// https://prometheus.io/docs/instrumenting/exposition_formats/
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace premise {

/// Values of a family's labels, in the order of its label names.
using LabelValues = std::vector<std::string>;

/// A number that only grows, one for each combination of label values. Thread-safe. Whoever chooses
/// the values bounds how many there are: names of models, keys and reasons, never a client's text.
class CounterFamily {
 public:
  CounterFamily(std::string name, std::string help, std::vector<std::string> label_names);

  void add(const LabelValues& labels, std::uint64_t amount = 1);
  std::uint64_t value(const LabelValues& labels) const;
  void write(std::string& out) const;

 private:
  std::string name_, help_;
  std::vector<std::string> label_names_;
  mutable std::mutex mutex_;
  std::map<LabelValues, std::uint64_t> values_;
};

/// A value that goes up and down. Thread-safe.
class Gauge {
 public:
  /// `type`: a literal; "untyped" where the name ends in _total, which Prometheus keeps for
  /// counters.
  Gauge(std::string name, std::string help, std::string_view type = "gauge");

  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  void add(double amount) { value_.fetch_add(amount, std::memory_order_relaxed); }
  void write(std::string& out) const;

 private:
  std::string name_, help_;
  std::string_view type_;
  std::atomic<double> value_{0.0};
};

/// How often a value was at most each of some bounds. Thread-safe.
class Histogram {
 public:
  /// `bounds` ascend; +Inf is added.
  Histogram(std::string name, std::string help, std::span<const double> bounds);

  /// Values that are no number are dropped.
  void observe(double value);
  std::uint64_t count() const;
  void write(std::string& out) const;

 private:
  std::string name_, help_;
  std::vector<double> bounds_;
  mutable std::mutex mutex_;
  std::vector<std::uint64_t> counts_;  // [bounds + 1], not cumulated
  double sum_ = 0.0;
};

/// A label's value as the format wants it: backslash, quote and line feed escaped.
std::string escape_label(std::string_view value);

/// The shortest text that reads back as the same number; "+Inf", "-Inf", "NaN".
std::string format_sample(double value);

}  // namespace premise
