// An endpoint's times, counts and state, into the metrics.
#pragma once

#include <string>
#include <utility>

#include "serve/local/local_endpoint.h"
#include "serve/observe/service_metrics.h"

namespace premise {

class MetricsObserver final : public EndpointObserver {
 public:
  /// `metrics` outlives this.
  MetricsObserver(ServiceMetrics& metrics, std::string model)
      : metrics_(metrics), model_(std::move(model)) {}
  /// Takes the model's share out of the gauges.
  ~MetricsObserver() override { stepped({}); }

  void queued(double seconds) override { metrics_.queue_seconds.observe(seconds); }
  void first_token(double seconds) override { metrics_.time_to_first_token.observe(seconds); }
  void between_tokens(double seconds) override { metrics_.time_between_tokens.observe(seconds); }
  void stepped(const EndpointState& state) override;
  void ended(const RequestRecord& record) override;
  void refused(RefusalReason reason) override {
    metrics_.refusals.add({std::string(name_of(reason))});
  }

 private:
  ServiceMetrics& metrics_;
  std::string model_;
  EndpointState told_;  // gauges are sums over models: each adds what has changed
};

}  // namespace premise
