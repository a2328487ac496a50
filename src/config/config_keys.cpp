#include "config/config_keys.h"

namespace premise {
namespace {

constexpr bool live = true, restart = false;
constexpr double day_seconds = 86'400, many = 1e15;

const ConfigKey<ServerConfig> server_keys[] = {
    {"host", &ServerConfig::host, restart},
    {"port", &ServerConfig::port, restart, 0, 65'535},
    {"tls_cert", &ServerConfig::tls_cert, live, 0, 0, "", true},
    {"tls_key", &ServerConfig::tls_key, live, 0, 0, "", true},
    {"allowed_hosts", &ServerConfig::allowed_hosts, live},
    {"threads", &ServerConfig::threads, restart, 1, 256},
    {"connections", &ServerConfig::connections, restart, 1, 1'000'000},
    {"body_bytes", &ServerConfig::body_bytes, restart, 1024, 1 << 30},
    {"header_seconds", &ServerConfig::header_seconds, restart, 0.1, 3600},
    {"body_seconds", &ServerConfig::body_seconds, restart, 0.1, 3600},
    {"idle_seconds", &ServerConfig::idle_seconds, restart, 0.1, day_seconds},
    {"write_seconds", &ServerConfig::write_seconds, restart, 0.1, 3600},
    {"drain_seconds", &ServerConfig::drain_seconds, live, 0, day_seconds},
    {"language", &ServerConfig::language, live, 0, 0, "en|zh"},
};
const ConfigKey<EngineConfig> engine_keys[] = {
    {"threads", &EngineConfig::threads, restart, 0, 1024},
    {"tokens_per_step", &EngineConfig::tokens_per_step, restart, 0, 65'536},
    {"deterministic", &EngineConfig::deterministic, restart},
    {"prefix_cache", &EngineConfig::prefix_cache, restart},
    {"prefix_scope", &EngineConfig::prefix_scope, live, 0, 0, "key|group|server"},
    {"speculative", &EngineConfig::speculative, restart, 0, 0, "off|ngram"},
    {"activations", &EngineConfig::activations, restart, 0, 0, "auto|16|mixed"},
    {"repack_cache", &EngineConfig::repack_cache, restart},
};
const ConfigKey<ModelConfig> model_keys[] = {
    {"name", &ModelConfig::name, restart},
    {"path", &ModelConfig::path, restart},
    {"context", &ModelConfig::context, restart, 0, 16'777'216},
    {"parallel", &ModelConfig::parallel, restart, 1, 4096},
    {"kv_memory", &ModelConfig::kv_memory, restart, 1, many},
    {"kv_type", &ModelConfig::kv_type, restart, 0, 0, "|f16|f32|q8_0"},
    {"chat_template", &ModelConfig::chat_template, restart, 0, 0, "", true},
    {"queue", &ModelConfig::queue, restart, 0, 1'000'000},
    {"watch_seconds", &ModelConfig::watch_seconds, live, 0, day_seconds},
    {"watch_requests", &ModelConfig::watch_requests, live, 1, 1'000'000},
    {"error_rate", &ModelConfig::error_rate, live, 0, 1},
    {"drain_seconds", &ModelConfig::drain_seconds, live, 0, day_seconds},
};
const ConfigKey<AuthConfig> auth_keys[] = {
    {"required", &AuthConfig::required, restart},
};
const ConfigKey<LimitsConfig> limits_keys[] = {
    {"requests_per_minute", &LimitsConfig::requests_per_minute, live, 0, many},
    {"tokens_per_minute", &LimitsConfig::tokens_per_minute, live, 0, many},
    {"requests_per_day", &LimitsConfig::requests_per_day, live, 0, many},
    {"tokens_per_day", &LimitsConfig::tokens_per_day, live, 0, many},
    {"counters", &LimitsConfig::counters, restart, 0, 0, "memory|redis://…"},
};
const ConfigKey<FilterConfig> filter_keys[] = {
    {"words", &FilterConfig::words, live, 0, 0, "", true},
    {"action", &FilterConfig::action, live, 0, 0, "reject|mask|log"},
};
const ConfigKey<CacheConfig> cache_keys[] = {
    {"results", &CacheConfig::results, restart, 0, 0, "off|memory|redis://…"},
    {"memory", &CacheConfig::memory, restart, 1 << 20, many},
    {"seconds", &CacheConfig::seconds, live, 1, 365 * day_seconds},
};
const ConfigKey<AuditConfig> audit_keys[] = {
    {"enabled", &AuditConfig::enabled, live},
    {"text", &AuditConfig::text, live},
};
const ConfigKey<LogConfig> log_keys[] = {
    {"path", &LogConfig::path, live, 0, 0, "", true},
    {"format", &LogConfig::format, live, 0, 0, "text|json|ecs"},
    {"level", &LogConfig::level, live, 0, 0, "debug|info|warning|error|off"},
    {"rotate_bytes", &LogConfig::rotate_bytes, live, 4096, many},
    {"keep", &LogConfig::keep, live, 0, 1000},
};
const ConfigKey<TracingConfig> tracing_keys[] = {
    {"endpoint", &TracingConfig::endpoint, restart, 0, 0, "|http://…|https://…"},
    {"sample", &TracingConfig::sample, live, 0, 1},
};

}  // namespace

std::span<const ConfigKey<ServerConfig>> keys_of(const ServerConfig&) { return server_keys; }
std::span<const ConfigKey<EngineConfig>> keys_of(const EngineConfig&) { return engine_keys; }
std::span<const ConfigKey<ModelConfig>> keys_of(const ModelConfig&) { return model_keys; }
std::span<const ConfigKey<AuthConfig>> keys_of(const AuthConfig&) { return auth_keys; }
std::span<const ConfigKey<LimitsConfig>> keys_of(const LimitsConfig&) { return limits_keys; }
std::span<const ConfigKey<FilterConfig>> keys_of(const FilterConfig&) { return filter_keys; }
std::span<const ConfigKey<CacheConfig>> keys_of(const CacheConfig&) { return cache_keys; }
std::span<const ConfigKey<AuditConfig>> keys_of(const AuditConfig&) { return audit_keys; }
std::span<const ConfigKey<LogConfig>> keys_of(const LogConfig&) { return log_keys; }
std::span<const ConfigKey<TracingConfig>> keys_of(const TracingConfig&) { return tracing_keys; }

}  // namespace premise
