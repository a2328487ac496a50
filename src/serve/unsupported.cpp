#include "serve/unsupported.h"

#include <string_view>

namespace premise {

Status check_supported(const Config& config) {
  const std::pair<std::string_view, bool> unmet[] = {
      {"[filter] words", !config.filter.words.empty()},
      {"[cache] results", config.cache.results != "off"},
      {"[tracing] endpoint", !config.tracing.endpoint.empty()},
      {"[limits] counters", config.limits.counters != "memory"},
      {"[limits] requests_per_day", config.limits.requests_per_day != 0},
      {"[audit] text", config.audit.text},
  };
  for (const auto& [key, set] : unmet)
    if (set)
      return error(ErrorCode::usage,
                   {"{} is not built yet: this version of premise serve refuses it rather than "
                    "ignoring it",
                    "{} 尚未实现：该版本的 premise serve 拒绝此设置，而不会忽略它"},
                   key);
  for (const ModelConfig& model : config.models) {
    if (model.kv_memory)
      return error(ErrorCode::usage,
                   {"[[model]] kv_memory is not built yet; context × parallel decides",
                    "[[model]] kv_memory 尚未实现；由 context × parallel 决定"});
  }
  return {};
}

}  // namespace premise
