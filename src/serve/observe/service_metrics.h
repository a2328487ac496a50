// What `premise serve` counts about itself. The names are a contract (docs/observability.md): alert
// rules and dashboards of users rely on them.
#pragma once

#include <string>

#include "serve/observe/metrics.h"

namespace premise {

/// Thread-safe. A reading of gauges is the caller's: set them right before write().
struct ServiceMetrics {
  ServiceMetrics();

  Histogram time_to_first_token;  // seconds from acceptance to the first token of a choice
  Histogram time_between_tokens;  // seconds between two tokens of a choice
  Histogram request_seconds;      // from acceptance to the last event
  Histogram queue_seconds;        // from acceptance until computing begins
  Histogram step_prompt_tokens;   // read in one step of an engine
  Histogram step_decode_rows;     // sequences that generated in one step
  CounterFamily tokens;           // kind (prompt, cached, completion), model, key
  CounterFamily requests;         // path (as routed), code
  CounterFamily refusals;         // reason
  CounterFamily cache_hits;       // cache (result, prefix)
  CounterFamily preemptions;      // model
  CounterFamily model_swaps;  // model, result (swapped, kept, not_loaded, check_failed, returned)
  CounterFamily filtered_words;              // where (request, answer)
  CounterFamily guesses;                     // model, result (right, wrong)
  Gauge requests_running, requests_waiting;  // gauges are sums over models
  Gauge kv_blocks_used, kv_blocks_kept, kv_blocks_total;
  Gauge connections;

  /// The page for a scraper, resident memory and start time of the process included.
  std::string write() const;
};

/// Of a page's Content-Type.
inline constexpr std::string_view metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace premise
