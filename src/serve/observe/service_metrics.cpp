#include "serve/observe/service_metrics.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <optional>

namespace premise {
namespace {

// From a cached answer to a long prompt on a small machine.
constexpr std::array first_token_bounds{0.005, 0.01, 0.025, 0.05, 0.1,  0.2,  0.4,
                                        0.8,   1.6,  3.2,   6.4,  12.8, 25.6, 60.0};
// 200 ms is the limit of a fluent dialogue, so there is a bound on it.
constexpr std::array between_bounds{0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05,
                                    0.075, 0.1,    0.15,  0.2,  0.4,  0.8,  2.0};
constexpr std::array request_bounds{0.05, 0.1, 0.25, 0.5, 1.0,  2.5,
                                    5.0,  10., 25.,  50., 100., 300.0};
constexpr std::array queue_bounds{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0};

constexpr std::array prompt_token_bounds{0.,   1.,   16.,   32.,   64.,   128.,
                                         256., 512., 1024., 2048., 4096., 8192.};
constexpr std::array decode_row_bounds{0., 1., 2., 4., 8., 16., 32., 64., 128., 256., 512.};

/// Second field of /proc/self/statm: resident pages.
std::optional<double> resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return std::nullopt;
  long size = 0, resident = 0;
  const int read = std::fscanf(file, "%ld %ld", &size, &resident);
  std::fclose(file);
  if (read != 2) return std::nullopt;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

const std::chrono::system_clock::time_point started = std::chrono::system_clock::now();

}  // namespace

ServiceMetrics::ServiceMetrics()
    : time_to_first_token("premise_time_to_first_token_seconds",
                          "From acceptance of a request to the first token of each of its choices.",
                          first_token_bounds),
      time_between_tokens("premise_time_between_tokens_seconds",
                          "Between two tokens of one choice.", between_bounds),
      request_seconds("premise_request_seconds", "From acceptance of a request to its end.",
                      request_bounds),
      queue_seconds("premise_queue_seconds",
                    "From acceptance of a request until computing of a choice begins.",
                    queue_bounds),
      step_prompt_tokens("premise_step_prompt_tokens",
                         "Prompt tokens that a step of an engine read; _count is the steps.",
                         prompt_token_bounds),
      step_decode_rows("premise_step_decode_rows",
                       "Sequences that generated in a step of an engine: the batch.",
                       decode_row_bounds),
      tokens("premise_tokens_total",
             "Tokens of prompts, of prompts found in the prefix cache, and generated.",
             {"kind", "model", "key"}),
      requests("premise_http_requests_total", "Answers given, by route and status.",
               {"path", "code"}),
      refusals("premise_refusals_total", "Requests that were refused, by reason.", {"reason"}),
      cache_hits("premise_cache_hits_total", "Answers or prefixes taken from a cache.", {"cache"}),
      preemptions("premise_preemptions_total",
                  "Requests that gave up their place in the KV cache and were computed again.",
                  {"model"}),
      model_swaps("premise_model_swaps_total",
                  "Versions of models that were to replace another, by what came of it.",
                  {"model", "result"}),
      filtered_words("premise_filtered_words_total",
                     "Listed words that were found; a rejected request or choice counts one.",
                     {"where"}),
      guesses("premise_speculative_tokens_total",
              "Guessed tokens that the model checked, by whether it drew them itself.",
              {"model", "result"}),
      requests_running("premise_requests_running", "Choices being computed now."),
      requests_waiting("premise_requests_waiting", "Choices accepted and not begun."),
      kv_blocks_used("premise_kv_blocks_used", "Blocks of the KV cache that sequences hold."),
      kv_blocks_kept("premise_kv_blocks_kept",
                     "Blocks of the KV cache that nobody holds, kept for their content."),
      kv_blocks_total("premise_kv_blocks_total", "Blocks of the KV cache.", "untyped"),
      connections("premise_connections", "Open connections.") {}

std::string ServiceMetrics::write() const {
  std::string out;
  for (const Histogram* each : {&time_to_first_token, &time_between_tokens, &request_seconds,
                                &queue_seconds, &step_prompt_tokens, &step_decode_rows})
    each->write(out);
  for (const CounterFamily* each : {&tokens, &requests, &refusals, &cache_hits, &preemptions,
                                    &model_swaps, &filtered_words, &guesses})
    each->write(out);
  for (const Gauge* each : {&requests_running, &requests_waiting, &kv_blocks_used, &kv_blocks_kept,
                            &kv_blocks_total, &connections})
    each->write(out);
  if (const auto bytes = resident_bytes())
    out += fmt::format(
        "# HELP process_resident_memory_bytes Resident memory of the process.\n"
        "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes {}\n",
        format_sample(*bytes));
  const double start = std::chrono::duration<double>(started.time_since_epoch()).count();
  out += fmt::format(
      "# HELP process_start_time_seconds Start of the process since 1970, UTC.\n"
      "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds {:.3f}\n",
      start);
  return out;
}

}  // namespace premise
