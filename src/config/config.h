// premise.toml as plain data. docs/premise.example.toml shows every key with its meaning.
//
// One table of keys (config_keys.cpp) says name, type, range and whether a reload may change it;
// reading, checking and comparing all walk that table, so that a key cannot be read and forgotten
// elsewhere.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace premise {

using ByteCount = std::optional<std::uint64_t>;  // unset: what fits

struct ServerConfig {
  std::string host = "127.0.0.1";
  std::int64_t port = 8080;  // 0: any that is free
  std::string tls_cert{}, tls_key{};
  std::vector<std::string> allowed_hosts{};
  std::int64_t threads = 2;  // that read and write sockets
  std::int64_t connections = 10'000;
  ByteCount body_bytes = std::uint64_t{32} << 20;
  double header_seconds = 10, body_seconds = 60, idle_seconds = 75, write_seconds = 30;
  double drain_seconds = 30;  // for running requests after SIGTERM
  std::string language = "en";
};

struct EngineConfig {
  std::int64_t threads = 0;  // 0: one for each core
  std::int64_t tokens_per_step = 0;  // 0: usual_step_tokens()
  bool deterministic = false;
  bool prefix_cache = true;
  std::string prefix_scope = "group";
  std::string speculative = "off";
  std::string activations = "auto";
  bool repack_cache = true;
};

struct ModelConfig {
  std::string name{};         // empty: as `path` names it
  std::string path{};         // in the store by name, or a file or folder
  std::int64_t context = 0;   // tokens of one request; 0: what the model was made for
  std::int64_t parallel = 4;  // requests computed at once
  ByteCount kv_memory{};      // of the KV cache, at most; unset: context × parallel
  std::string kv_type{};      // empty: the engine's choice
  std::string chat_template{};
  std::int64_t queue = 256;
  // How a new version is watched after a swap, and how long requests of one that goes may take.
  double watch_seconds = 60;
  std::int64_t watch_requests = 20;
  double error_rate = 0.2;
  double drain_seconds = 30;
};

struct AuthConfig {
  bool required = false;  // beyond loopback it always is
};

struct LimitsConfig {  // of a key that has none of its own; 0: none
  std::int64_t requests_per_minute = 0, tokens_per_minute = 0;
  std::int64_t requests_per_day = 0, tokens_per_day = 0;
  std::string counters = "memory";
};

struct FilterConfig {
  std::vector<std::string> words{};  // files with a word a line
  std::string action = "reject";
};

struct CacheConfig {
  std::string results = "off";
  ByteCount memory = std::uint64_t{256} << 20;
  double seconds = 3600;  // an answer is kept
};

struct AuditConfig {
  bool enabled = true;
  bool text = false;  // keep what was asked and answered, not only who, when and how much
};

struct LogConfig {
  std::string path{};  // empty: standard error
  std::string format = "text";
  std::string level = "info";
  ByteCount rotate_bytes = std::uint64_t{100} << 20;
  std::int64_t keep = 7;  // rotated files
};

struct TracingConfig {
  std::string endpoint{};  // of OTLP over HTTP; empty: off
  double sample = 1.0;     // share of requests
};

struct Config {
  ServerConfig server;
  EngineConfig engine;
  std::vector<ModelConfig> models;  // [[model]]
  AuthConfig auth;
  LimitsConfig limits;
  FilterConfig filter;
  CacheConfig cache;
  AuditConfig audit;
  LogConfig log;
  TracingConfig tracing;
};

/// Reads and checks all of it. An Error (usage) names file, line and key, and for an unknown key
/// the nearest known one.
Result<Config> parse_config(std::string_view toml, const std::string& file);

/// The same from a file. Paths to files in it are taken from its folder. bad_input where the file
/// cannot be read or is larger than a MiB.
Result<Config> load_config(const std::filesystem::path& path);

/// One key that two configurations disagree on.
struct ConfigChange {
  std::string key;    // "log.level", "model.gemma.context", "model.gemma" (added or removed)
  bool live = false;  // takes effect by a reload; else at the next start
  bool operator==(const ConfigChange&) const = default;
};
/// In the order of the file. Models are told apart by their names.
std::vector<ConfigChange> compare(const Config& before, const Config& after);

/// `after` with everything that needs a restart left as it is in `before`.
Config apply_live(const Config& before, const Config& after);

/// "model name", as clients say it.
std::string served_name(const ModelConfig& model);

}  // namespace premise
