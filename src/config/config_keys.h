// The table of keys: what premise.toml may say. Only this room includes it.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/config.h"

namespace premise {

template <typename S>
struct ConfigKey {
  using Member = std::variant<bool S::*, std::int64_t S::*, double S::*, std::string S::*,
                              std::vector<std::string> S::*, ByteCount S::*>;
  std::string_view name;
  Member member;
  bool live = false;                                            // a reload may change it
  double least = 0, most = std::numeric_limits<double>::max();  // of numbers
  std::string_view choices{};  // "a|b|c"; "redis://…" stands for any such address; "": any text
  bool is_path = false;        // of a file, taken from the configuration's folder
};

std::span<const ConfigKey<ServerConfig>> keys_of(const ServerConfig&);
std::span<const ConfigKey<EngineConfig>> keys_of(const EngineConfig&);
std::span<const ConfigKey<ModelConfig>> keys_of(const ModelConfig&);
std::span<const ConfigKey<AuthConfig>> keys_of(const AuthConfig&);
std::span<const ConfigKey<LimitsConfig>> keys_of(const LimitsConfig&);
std::span<const ConfigKey<FilterConfig>> keys_of(const FilterConfig&);
std::span<const ConfigKey<CacheConfig>> keys_of(const CacheConfig&);
std::span<const ConfigKey<AuditConfig>> keys_of(const AuditConfig&);
std::span<const ConfigKey<LogConfig>> keys_of(const LogConfig&);
std::span<const ConfigKey<TracingConfig>> keys_of(const TracingConfig&);

/// Calls visit(name, section…) for every section but [[model]], the same one of each configuration.
template <typename Visit, typename... Configs>
void for_each_section(Visit&& visit, Configs&... configs) {
  visit("server", configs.server...);
  visit("engine", configs.engine...);
  visit("auth", configs.auth...);
  visit("limits", configs.limits...);
  visit("filter", configs.filter...);
  visit("cache", configs.cache...);
  visit("audit", configs.audit...);
  visit("log", configs.log...);
  visit("tracing", configs.tracing...);
}

}  // namespace premise
