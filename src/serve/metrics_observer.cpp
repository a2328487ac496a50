#include "serve/metrics_observer.h"

namespace premise {

void MetricsObserver::ended(const RequestRecord& record) {
  metrics_.request_seconds.observe(record.seconds);
  const std::pair<const char*, std::size_t> counts[] = {
      {"prompt", record.usage.prompt_tokens},
      {"cached", record.usage.cached_tokens},
      {"completion", record.usage.completion_tokens}};
  for (const auto& [kind, count] : counts)
    if (count > 0) metrics_.tokens.add({kind, model_, record.owner}, count);
  if (record.usage.cached_tokens > 0) metrics_.cache_hits.add({"prefix"});
}

}  // namespace premise
