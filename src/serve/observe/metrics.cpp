#include "serve/observe/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

namespace premise {
namespace {

void write_head(std::string& out, std::string_view name, std::string_view help,
                std::string_view type) {
  out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

}  // namespace

std::string escape_label(std::string_view value) {
  std::string out;
  out.reserve(value.size());
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out;
}

std::string format_sample(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

CounterFamily::CounterFamily(std::string name, std::string help,
                             std::vector<std::string> label_names)
    : name_(std::move(name)), help_(std::move(help)), label_names_(std::move(label_names)) {
  // Without labels there is one counter, which says 0 before anything happened.
  if (label_names_.empty()) values_.emplace();
}

void CounterFamily::add(const LabelValues& labels, std::uint64_t amount) {
  assert(labels.size() == label_names_.size());
  const std::lock_guard lock(mutex_);
  values_[labels] += amount;
}

std::uint64_t CounterFamily::value(const LabelValues& labels) const {
  const std::lock_guard lock(mutex_);
  const auto found = values_.find(labels);
  return found == values_.end() ? 0 : found->second;
}

void CounterFamily::write(std::string& out) const {
  write_head(out, name_, help_, "counter");
  const std::lock_guard lock(mutex_);
  for (const auto& [labels, value] : values_) {
    out += name_;
    for (std::size_t i = 0; i < labels.size(); ++i)
      out +=
          fmt::format("{}{}=\"{}\"", i == 0 ? '{' : ',', label_names_[i], escape_label(labels[i]));
    out += fmt::format("{} {}\n", labels.empty() ? "" : "}", value);
  }
}

Gauge::Gauge(std::string name, std::string help, std::string_view type)
    : name_(std::move(name)), help_(std::move(help)), type_(type) {}

void Gauge::write(std::string& out) const {
  write_head(out, name_, help_, type_);
  out += fmt::format("{} {}\n", name_, format_sample(value_.load(std::memory_order_relaxed)));
}

Histogram::Histogram(std::string name, std::string help, std::span<const double> bounds)
    : name_(std::move(name)),
      help_(std::move(help)),
      bounds_(bounds.begin(), bounds.end()),
      counts_(bounds.size() + 1) {
  assert(std::ranges::is_sorted(bounds_));
}

void Histogram::observe(double value) {
  if (std::isnan(value)) return;
  const auto at = std::ranges::lower_bound(bounds_, value) - bounds_.begin();  // value <= bound
  const std::lock_guard lock(mutex_);
  ++counts_[static_cast<std::size_t>(at)];
  sum_ += value;
}

std::uint64_t Histogram::count() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t total = 0;
  for (const std::uint64_t count : counts_) total += count;
  return total;
}

void Histogram::write(std::string& out) const {
  write_head(out, name_, help_, "histogram");
  const std::lock_guard lock(mutex_);
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    total += counts_[i];
    const std::string bound = i < bounds_.size() ? format_sample(bounds_[i]) : "+Inf";
    out += fmt::format("{}_bucket{{le=\"{}\"}} {}\n", name_, bound, total);
  }
  out += fmt::format("{}_sum {}\n{}_count {}\n", name_, format_sample(sum_), name_, total);
}

}  // namespace premise
